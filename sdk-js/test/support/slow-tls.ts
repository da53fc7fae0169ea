/** A TLS proxy in front of a server on this machine that adds latency: without it no test sees what a page loses when it is left. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTLSServer } from "node:tls";

function selfSigned(): { key: Buffer; cert: Buffer } {
  const dir = mkdtempSync(join(tmpdir(), "sparrow-tls-"));
  try {
    const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Passes bytes from one end to the other, each chunk ms later, in order. */
function delay(from: Socket, to: Socket, ms: number): void {
  from.on("data", (chunk) => setTimeout(() => to.writable && to.write(chunk), ms));
  from.on("end", () => setTimeout(() => to.end(), ms));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), ms));
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
};

/** Serves https on a new port for the plain server at port, with a round trip of ms. */
export async function slowTLS(port: number, ms: number): Promise<{ origin: string; stop: () => Promise<void> }> {
  const open = new Set<Socket>();
  const track = (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    return socket;
  };
  const tls = createTLSServer(selfSigned(), (client) => {
    const upstream = track(connect(port, "127.0.0.1"));
    track(client).on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  tls.on("tlsClientError", () => {}); // a page that leaves in the middle of a handshake
  const tlsPort = await listen(tls);
  const slow = createServer((client) => {
    const upstream = track(connect(tlsPort, "127.0.0.1"));
    delay(track(client), upstream, ms / 2);
    delay(upstream, client, ms / 2);
  });
  const origin = `https://127.0.0.1:${await listen(slow)}`;
  const stop = async () => {
    for (const socket of open) socket.destroy();
    await Promise.all([slow, tls].map((server) => new Promise((done) => server.close(done))));
  };
  return { origin, stop };
}
