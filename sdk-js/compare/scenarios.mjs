/** The five ways in which pages lose events. Each returns how many events it sent; the receiver knows which arrived. */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until the receiver has all of count events, ms at most, and a moment longer for repeats. */
async function settle(receiver, count, ms) {
  for (const end = Date.now() + ms; Date.now() < end && receiver.accepted.size < count; ) await sleep(100);
  await sleep(1500);
}

/** Sends count events, each with size bytes of a property beside its id. */
const send = (page, count, size = 0) =>
  page.evaluate(([count, size]) => {
    for (let i = 0; i < count; i++) window.send(`event-${i}`, "x".repeat(size));
  }, [count, size]);

const IDLE = 11_500; // ms after which the timers of batches have run out

export const scenarios = {
  A: {
    title: "collector answers 503 for 3.5 s",
    events: 5,
    async run({ receiver, open }) {
      receiver.down = Infinity;
      const page = await open();
      await send(page, 5);
      for (const end = Date.now() + 15_000; Date.now() < end && !receiver.requests; ) await sleep(50);
      receiver.down = Date.now() + 3500;
      await settle(receiver, 5, 22_000);
    },
  },
  B: {
    title: "offline, tab closed, page opened again",
    events: 5,
    async run({ receiver, context, open }) {
      const page = await open();
      await sleep(1000);
      await context.setOffline(true);
      await send(page, 5);
      await sleep(2000);
      await page.close();
      await context.setOffline(false);
      await open();
      await settle(receiver, 5, 20_000);
    },
  },
  C: {
    title: "60 events of 3 kB at once",
    events: 60,
    async run({ receiver, open }) {
      const page = await open();
      await send(page, 60, 3000);
      await settle(receiver, 60, 22_000);
    },
  },
  D: {
    title: "`track()`, then `location =` another site",
    events: 5,
    async run({ receiver, open, elsewhere }) {
      const page = await open();
      await sleep(IDLE);
      await page.evaluate((url) => {
        for (let i = 0; i < 5; i++) window.send(`event-${i}`, "");
        location.href = url;
      }, elsewhere);
      await settle(receiver, 5, 10_000);
    },
  },
  E: {
    title: "`track()` within `pagehide`",
    events: 5,
    async run({ receiver, open, elsewhere }) {
      const page = await open();
      await sleep(IDLE);
      await page.evaluate((url) => {
        const last = () => {
          for (let i = 0; i < 5; i++) window.send(`event-${i}`, "");
        };
        addEventListener("pagehide", last, { capture: true }); // before the SDK's own listener, if it has one
        location.href = url;
      }, elsewhere);
      await settle(receiver, 5, 10_000);
    },
  },
};

/** What an SDK does in a page that records one event. */
export async function probe({ receiver, context, foreign, open }) {
  const page = await open();
  await send(page, 1).catch(() => {}); // an SDK that did not survive the page's rules delivers nothing
  await settle(receiver, 1, 15_000);
  const stored = await page.evaluate(() => {
    try {
      return localStorage.length;
    } catch {
      return 0;
    }
  });
  const seen = await page.evaluate(() => window.seen);
  return {
    delivered: receiver.accepted.size,
    transports: Object.keys(seen.transports).sort(),
    preflights: receiver.preflights,
    cookies: (await context.cookies()).length,
    stored,
    foreign: [...foreign].sort(),
    violations: seen.violations,
    errors: seen.errors,
  };
}
