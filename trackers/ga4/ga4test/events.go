package ga4test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

func (c *checker) events(raw json.RawMessage) []sentEvent {
	var list []json.RawMessage
	if raw == nil || json.Unmarshal(raw, &list) != nil {
		c.fault("events", "VALUE_REQUIRED", "events is missing or not an array")
		return nil
	}
	if len(list) < 1 || len(list) > 25 {
		c.fault("events", "EXCEEDED_MAX_ENTITIES", "%d events, want 1 to 25", len(list))
	}
	events := make([]sentEvent, len(list))
	for i, one := range list {
		events[i] = sentEvent{Name: c.event(fmt.Sprintf("events[%d]", i), one), raw: one}
	}
	return events
}

func (c *checker) event(path string, raw json.RawMessage) (name string) {
	var e map[string]json.RawMessage
	if vendortest.Decode(raw, &e) != nil {
		c.fault(path, "VALUE_INVALID", "not an object")
		return ""
	}
	for key := range e {
		if key != "name" && key != "params" && key != "timestamp_micros" {
			c.fault(path+"."+key, "NAME_INVALID", "unknown key")
		}
	}
	if json.Unmarshal(e["name"], &name) != nil || name == "" {
		c.fault(path+".name", "VALUE_REQUIRED", "name is missing")
		return ""
	}
	c.name(path+".name", name, 40)
	if slices.Contains(reservedNames(), name) {
		c.fault(path+".name", "NAME_RESERVED", "%s is reserved", name)
	}
	c.timestamp(path+".timestamp_micros", e["timestamp_micros"])
	c.params(path+".params", name, e["params"])
	return name
}

func (c *checker) params(path, event string, raw json.RawMessage) {
	if raw == nil {
		return
	}
	var params map[string]any
	if vendortest.Decode(raw, &params) != nil {
		c.fault(path, "VALUE_INVALID", "not an object")
		return
	}
	if len(params) > 25 {
		c.fault(path, "EXCEEDED_MAX_ENTITIES", "%d params, more than 25", len(params))
	}
	for name, value := range params {
		c.param(path+"."+name, event, name, value)
	}
	engagement, _ := params["engagement_time_msec"].(json.Number)
	if ms, err := engagement.Float64(); err != nil || ms <= 0 {
		c.fault(path+".engagement_time_msec", "VALUE_REQUIRED", "without a positive one the event shows in no report")
	}
	c.money(path, params)
	if event == "purchase" {
		c.purchase(path, params)
	}
}

func (c *checker) param(path, event, name string, value any) {
	c.name(path, name, 40)
	if name == "items" && slices.Contains(commerceNames(), event) {
		c.items(path, value)
		return
	}
	limit := 100
	switch name {
	case "page_title":
		limit = 300
	case "page_referrer":
		limit = 420
	case "page_location":
		limit = 1000
	}
	c.scalar(path, value, limit)
}

// money: value and currency need each other, whatever the event.
func (c *checker) money(path string, params map[string]any) {
	value, hasValue := params["value"]
	currency, hasCurrency := params["currency"]
	if hasValue != hasCurrency {
		c.fault(path+".currency", "VALUE_REQUIRED", "value and currency need each other")
	}
	if _, number := value.(json.Number); hasValue && !number {
		c.fault(path+".value", "VALUE_INVALID", "not a number")
	}
	if s, ok := currency.(string); hasCurrency && (!ok || !regexp.MustCompile(`^[A-Z]{3}$`).MatchString(s)) {
		c.fault(path+".currency", "VALUE_INVALID", "not three capital letters")
	}
}

// purchase: what a purchase needs to count as one.
func (c *checker) purchase(path string, params map[string]any) {
	for _, name := range [...]string{"transaction_id", "value", "items"} {
		if _, there := params[name]; !there {
			c.fault(path+"."+name, "VALUE_REQUIRED", "a purchase needs %s", name)
		}
	}
}

func (c *checker) items(path string, value any) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		c.fault(path, "VALUE_INVALID", "not an array with items")
		return
	}
	if len(list) > 200 {
		c.fault(path, "EXCEEDED_MAX_ENTITIES", "%d items, more than 200", len(list))
	}
	for i, one := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		item, ok := one.(map[string]any)
		if !ok {
			c.fault(at, "VALUE_INVALID", "not an object")
			continue
		}
		c.item(at, item)
	}
}

func (c *checker) item(path string, item map[string]any) {
	_, id := item["item_id"]
	_, name := item["item_name"]
	if !id && !name {
		c.fault(path, "VALUE_REQUIRED", "item_id or item_name is required")
	}
	custom := 0
	for name, value := range item {
		c.name(path+"."+name, name, 40)
		if !slices.Contains(itemNames(), name) {
			custom++
		}
		if _, number := value.(json.Number); (name == "price" || name == "quantity") && !number {
			c.fault(path+"."+name, "VALUE_INVALID", "not a number")
			continue
		}
		c.scalar(path+"."+name, value, 100)
	}
	if custom > 10 {
		c.fault(path, "EXCEEDED_MAX_ENTITIES", "%d custom parameters, more than 10", custom)
	}
}

func reservedNames() []string {
	return []string{
		"ad_activeview", "ad_click", "ad_exposure", "ad_impression", "ad_query", "adunit_exposure", "app_clear_data", "app_install",
		"app_update", "app_remove", "error", "first_open", "first_visit", "in_app_purchase", "notification_dismiss",
		"notification_foreground", "notification_open", "notification_receive", "os_update", "screen_view", "session_start",
		"user_engagement", "app_store_refund", "app_store_subscription_cancel", "app_store_subscription_convert", "app_store_subscription_renew",
	}
}

func commerceNames() []string {
	return []string{
		"add_payment_info", "add_shipping_info", "add_to_cart", "add_to_wishlist", "begin_checkout", "purchase", "refund",
		"remove_from_cart", "select_item", "select_promotion", "view_cart", "view_item", "view_item_list", "view_promotion",
	}
}

func itemNames() []string {
	return []string{
		"item_id", "item_name", "affiliation", "coupon", "discount", "index", "item_brand", "item_category", "item_category2",
		"item_category3", "item_category4", "item_category5", "item_list_id", "item_list_name", "item_variant", "location_id",
		"price", "quantity", "creative_name", "creative_slot", "promotion_id", "promotion_name", "google_business_vertical",
	}
}
