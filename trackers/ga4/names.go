package ga4

import (
	"strings"
	"unicode"
)

const (
	maxName         = 40 // of events and parameters
	maxUserProperty = 24 // of a user property's name
)

// cleanName fits a name into GA4's characters: white space around it goes,
// within it becomes _, what is not a letter, digit or _ goes, and what is over
// the limit. The result may be empty or begin with a digit.
func cleanName(name string, limit int) string {
	if isClean(name) {
		return name[:min(len(name), limit)]
	}
	b := make([]byte, 0, len(name))
	space := false
	for _, r := range strings.TrimSpace(name) {
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		if r >= 0x80 || !nameByte(byte(r)) {
			continue
		}
		if space {
			b = append(b, '_')
			space = false
		}
		b = append(b, byte(r))
	}
	return string(b[:min(len(b), limit)])
}

func isClean(name string) bool {
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	return letter(c) || c >= '0' && c <= '9' || c == '_'
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// eventName is GA4's name for an event, or the rule that it breaks.
func eventName(raw string) (name, rule string) {
	if raw == "pageview" {
		return "page_view", ""
	}
	name = cleanName(raw, maxName)
	switch {
	case reservedPrefix(strings.TrimSpace(raw)) || reservedPrefix(name):
		return "", "name: begins with _, firebase_, ga_, google_ or gtag., which Google keeps to itself"
	case name == "":
		return "", "name: has no letter, digit or _"
	case !letter(name[0]):
		return "", "name: must begin with a letter"
	case reservedEvent(name):
		return "", "name: " + name + " is reserved by Google"
	}
	return name, ""
}

// parameterName is GA4's name for a parameter; "" means that it has none and is
// left out.
func parameterName(raw string) string { return memberName(raw, maxName) }

func memberName(raw string, limit int) string {
	name := cleanName(raw, limit)
	if name == "" || !letter(name[0]) || reservedPrefix(raw) || reservedPrefix(name) {
		return ""
	}
	return name
}

// userPropertyName is GA4's name for a user property; "" means that it has none
// and is left out.
func userPropertyName(raw string) string {
	name := memberName(raw, maxUserProperty)
	switch name {
	case "first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id", "first_open_after_install":
		return ""
	}
	return name
}

func reservedPrefix(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] {
	case '_':
		return true
	case 'f':
		return strings.HasPrefix(name, "firebase_")
	case 'g':
		return strings.HasPrefix(name, "ga_") || strings.HasPrefix(name, "google_") || strings.HasPrefix(name, "gtag.")
	}
	return false
}

// reservedEvent reports whether Google lists name as reserved on web streams.
func reservedEvent(name string) bool {
	switch name {
	case "ad_activeview", "ad_click", "ad_exposure", "ad_impression", "ad_query", "adunit_exposure",
		"app_clear_data", "app_install", "app_remove", "app_store_refund", "app_store_subscription_cancel",
		"app_store_subscription_convert", "app_store_subscription_renew", "app_update", "error", "first_open",
		"first_visit", "in_app_purchase", "notification_dismiss", "notification_foreground", "notification_open",
		"notification_receive", "os_update", "screen_view", "session_start", "user_engagement":
		return true
	}
	return false
}
