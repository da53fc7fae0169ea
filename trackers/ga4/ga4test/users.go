package ga4test

import (
	"encoding/json"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

func (c *checker) userProperties(raw json.RawMessage) {
	if raw == nil {
		return
	}
	var properties map[string]map[string]json.RawMessage
	if json.Unmarshal(raw, &properties) != nil {
		c.fault("user_properties", "VALUE_INVALID", "want {name: {value: ...}}")
		return
	}
	if len(properties) > 25 {
		c.fault("user_properties", "EXCEEDED_MAX_ENTITIES", "more than 25")
	}
	for name, property := range properties {
		path := "user_properties." + name
		c.name(path, name, 24)
		switch name {
		case "first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id", "first_open_after_install":
			c.fault(path, "NAME_RESERVED", "reserved")
		}
		for key := range property {
			if key != "value" && key != "timestamp_micros" {
				c.fault(path+"."+key, "NAME_INVALID", "unknown key")
			}
		}
		c.timestamp(path+".timestamp_micros", property["timestamp_micros"])
		var value any
		if vendortest.Decode(property["value"], &value) != nil {
			value = nil
		}
		c.scalar(path, value, 36)
	}
}
