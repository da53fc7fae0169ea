/** Debian's Chromium, with a profile of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext } from "playwright-core";

export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "--host-resolver-rules=MAP *.test 127.0.0.1"];

const options = { executablePath, headless: true, args, ignoreDefaultArgs: ["--disable-back-forward-cache"] };

export const newProfile = (): string => mkdtempSync(join(tmpdir(), "sparrow-chromium-"));

export const removeProfile = (profile: string): void => rmSync(profile, { recursive: true, force: true, maxRetries: 5 });

/** Starts a browser whose storage is in profile: the same one again reopens it. */
export const open = (profile: string): Promise<BrowserContext> => chromium.launchPersistentContext(profile, options);

/** Starts a browser for several visitors, each with a context of their own. */
export const launch = (): Promise<Browser> => chromium.launch(options);

/** Shows url in a browser that nobody debugs, as prerendering needs; returns how to end it. */
export function show(url: string): () => Promise<void> {
  const profile = newProfile();
  const agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
  const child = spawn(executablePath, [...args, "--headless=new", `--user-data-dir=${profile}`, `--user-agent=${agent}`, url], { detached: true, stdio: "ignore" });
  return async () => {
    const ended = new Promise((done) => child.once("exit", done));
    if (child.exitCode === null) process.kill(-child.pid!, "SIGKILL"); // it and its children
    await ended;
    removeProfile(profile);
  };
}
