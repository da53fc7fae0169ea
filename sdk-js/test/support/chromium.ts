/** Debian's Chromium, with a profile of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--ignore-certificate-errors"];

export const newProfile = (): string => mkdtempSync(join(tmpdir(), "sparrow-chromium-"));

export const removeProfile = (profile: string): void => rmSync(profile, { recursive: true, force: true, maxRetries: 5 });

/** Starts a browser whose storage is in profile: the same one again reopens it. */
export const open = (profile: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args,
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
