/** Checked by the compiler alone: what must be an error has a directive that fails when it is none. */
import { createSparrow, sparrow } from "../src/index";

interface Shop {
  "purchase product": { category: string; productName: string };
  search: { query?: string };
}

const shop = createSparrow<Shop>();
shop.track("purchase product", { category: "billing", productName: "workers" }) satisfies string;
shop.track("search");
shop.track("search", { query: "x" });
// @ts-expect-error an event the map does not name
shop.track("purchase");
// @ts-expect-error properties are missing
shop.track("purchase product");
// @ts-expect-error a property of another type
shop.track("purchase product", { category: 1, productName: "workers" });
// @ts-expect-error a property the event does not have
shop.track("search", { term: "x" });

sparrow.track("anything", { at: "all" });
sparrow.track("anything");
// @ts-expect-error a name is text
sparrow.track(1);
// @ts-expect-error the key is missing
sparrow.init({ endpoint: "/s/e" });
sparrow.init({ key: "pk", endpoint: "/s/e", consent: "wait", onSettle: (id, reason) => void [id satisfies string, reason] });
sparrow.setConsent({ analytics: true });
