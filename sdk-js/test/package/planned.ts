/** A page of a site whose plan is pkg/plan/testdata/types.yaml: what must not compile has a directive that fails when it does. */
import { createSparrow, sparrow } from "@sparrow-edge/sdk";
import { autoPageviews } from "@sparrow-edge/sdk/auto";
import { refusal } from "@sparrow-edge/sdk/privacy";
import { sessions } from "@sparrow-edge/sdk/session";
import type { PlanEvents } from "./sparrow-events.d.ts";

sparrow.init({ key: "pk", endpoint: "/s/e", context: sessions(), consent: refusal({ gpc: true }) ?? "wait" });
autoPageviews(sparrow);

sparrow.track("logout") satisfies string;
sparrow.track("pageview");
sparrow.track("pageview", { pathname: "/" });
sparrow.track("purchase product", { category: "a", price: 1.5 });
sparrow.track("purchase product", {
  category: "a", price: 1, count: 2, gift: true, at: new Date(), size: 'L "large"', rate: 1.1, sizes: ["S", "M"], list: [1, "x"],
  matrix: [[1], [2]], whatever: null, free: { x: 1 }, nothing: {}, items: [{ id: "1", "shelf no": 2, place: { aisle: "b" } }],
});
sparrow.track("*/ }; declare const escaped: true; /*", { "*/": "x" });
sparrow.track("quo\"te' `back` ${x} \\ slash", { "two words": "x" });
sparrow.track("\u2028 line </script>", { ünïcode: "x", "2nd": 2, readonly: "x", constructor: "x" });
sparrow.track("//");
createSparrow<PlanEvents>().track("logout");

// @ts-expect-error nothing of the plan's text became code
void escaped;
// @ts-expect-error an event that the plan does not have
sparrow.track("purchase");
// @ts-expect-error the name in other letters
sparrow.track("Logout");
// @ts-expect-error an event of another map
createSparrow<PlanEvents>().track("purchase");
// @ts-expect-error the required properties are missing
sparrow.track("purchase product");
// @ts-expect-error one of them is
sparrow.track("purchase product", { category: "a" });
// @ts-expect-error a property that the plan does not have
sparrow.track("purchase product", { category: "a", price: 1, colour: "red" });
// @ts-expect-error a property of an event without any
sparrow.track("logout", { reason: "bored" });
// @ts-expect-error another type
sparrow.track("purchase product", { category: 1, price: 1 });
// @ts-expect-error text for a number
sparrow.track("purchase product", { category: "a", price: "1" });
// @ts-expect-error a value that the plan does not list
sparrow.track("purchase product", { category: "a", price: 1, size: "XL" });
// @ts-expect-error a number that the plan does not list
sparrow.track("purchase product", { category: "a", price: 1, rate: 3 });
// @ts-expect-error an element that the plan does not list
sparrow.track("purchase product", { category: "a", price: 1, sizes: ["L"] });
// @ts-expect-error a member that the plan does not have
sparrow.track("purchase product", { category: "a", price: 1, items: [{ colour: "red" }] });
// @ts-expect-error an event is not a property
sparrow.track({ event: "logout" });
