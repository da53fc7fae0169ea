package segment

import (
	"net/url"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// translate writes the message as an event, without what the message lacks:
// event.Inspect decides whether the result is an event.
func (m message) translate(path string) []byte {
	kind := m.kind(path)
	var out object
	if kind == "track" {
		out.set("event", m.get("event"))
	} else {
		out.setText("event", names[kind])
	}
	user := m.id("userId")
	out.setText("deviceId", m.id("anonymousId"))
	out.setText("deviceId", user)
	out.setText("userId", user)
	out.setText("eventId", m.id("messageId"))
	for _, name := range [...]string{"timestamp", "originalTimestamp"} {
		out.set("timestamp", timestamp(m.get(name)))
	}
	out.setObject("properties", m.properties(kind))
	out.setObject("userProperties", m.userProperties(kind))
	out.setObject("context", m.context(kind))
	return event.AppendObject(nil, out)
}

// properties are the event's, by the kind of message.
func (m message) properties(kind string) object {
	out := m.child("properties")
	switch kind {
	case "page", "screen":
		out.setText("name", m.text("name"))
		out.setText("category", m.text("category"))
	case "identify":
		out = m.traits()
	case "group":
		out = m.child("traits")
		out.setText("groupId", m.id("groupId"))
	case "alias":
		out.setText("previousId", m.id("previousId"))
	}
	if kind == "page" {
		out.setText("pathname", out.text("path"))
		out.setText("pathname", m.child("context").child("page").text("path"))
	}
	return out
}

// traits are the user's. RudderStack's browser SDK sends those of an identify in the
// context.
func (m message) traits() object {
	if traits := m.child("traits"); len(traits) > 0 {
		return traits
	}
	return m.child("context").child("traits")
}

func (m message) userProperties(kind string) object {
	if kind == "identify" {
		return m.traits()
	}
	return m.child("context").child("traits")
}

// context is the part of the message's context that an event has.
func (m message) context(kind string) object {
	from := m.child("context")
	var page, out object
	for _, name := range [...]string{"url", "path", "referrer", "title"} {
		page.setText(name, from.child("page").text(name))
		if kind == "page" {
			page.setText(name, m.child("properties").text(name))
		}
	}
	out.setObject("page", withCampaign(page, from.child("campaign")))
	out.setObject("screen", from.child("screen"))
	for _, name := range [...]string{"locale", "userAgent", "ip"} {
		out.setText(name, from.text(name))
	}
	out.setText("sessionId", from.id("sessionId"))
	for _, integration := range m.child("integrations") { // where Segment's own SDKs put a vendor's session
		out.setText("sessionId", object(integration.Value.Fields).id("session_id"))
	}
	out.setObject("consent", consent(from))
	return out
}

// withCampaign adds a message's campaign to the page's address, where all vendors look
// for it, unless the address has one.
func withCampaign(page, campaign object) object {
	address, err := url.Parse(page.text("url"))
	if len(campaign) == 0 || err != nil || address.Host == "" || strings.Contains(address.RawQuery, "utm_") {
		return page
	}
	query := address.RawQuery
	for _, parameter := range [...]struct{ name, member string }{
		{"utm_source", "source"}, {"utm_medium", "medium"}, {"utm_campaign", "name"}, {"utm_term", "term"}, {"utm_content", "content"}, {"utm_id", "id"},
	} {
		if value := campaign.id(parameter.member); value != "" {
			query += "&" + parameter.name + "=" + url.QueryEscape(value)
		}
	}
	address.RawQuery = strings.TrimPrefix(query, "&")
	out := object{{Name: "url", Value: event.StringValue(address.String())}}
	for _, member := range page {
		out.set(member.Name, member.Value)
	}
	return out
}

// maxPurposes bounds the purposes that are read from a list: no page has that many.
const maxPurposes = 256

// consent is what the visitor agreed to or not, in the forms of Segment's and
// RudderStack's consent managers.
func consent(context object) object {
	out := context.child("consent").child("categoryPreferences")
	manager := context.child("consentManagement")
	for _, list := range [...]struct {
		name  string
		given bool
	}{{"deniedConsentIds", false}, {"allowedConsentIds", true}} {
		items := manager.get(list.name).Items
		for _, id := range items[:min(len(items), maxPurposes)] {
			if id.Kind == event.String {
				out.set(id.Text, event.BoolValue(list.given))
			}
		}
	}
	return out
}
