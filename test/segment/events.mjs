/** What a customer's code does with an SDK: a number a call, by which each is found again. */

/** The n-th call: its kind, and its properties or traits. */
export function call(n) {
  const kinds = ["page", "identify", "group"];
  const kind = n % 10 < kinds.length ? kinds[n % 10] : "track";
  const own = {
    track: { price: 19.9, product: "zürich 東京 \"quoted\"" },
    page: { path: `/docs/${n % 7}`, title: "Docs", url: `https://shop.example/docs/${n % 7}` },
    identify: { plan: "pro" },
    group: { seats: 3 },
  };
  return { kind, values: { n, ...own[kind] } };
}

/** The event's name of a track. */
export const NAME = "Order Completed";
