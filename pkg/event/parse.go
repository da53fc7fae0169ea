package event

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Parse replaces into by the event of a usable record. It relies on the contract of
// Inspect, is lenient where the contract allows anything, and never panics; the
// error says that the bytes are not an event. Nothing in the result aliases the
// record's bytes.
//
// Beside the members that the contract names it reads userProperties (or
// context.userProperties), and of context: page {url, path, referrer, title},
// screen {width, height}, locale, sessionId, userAgent, consent. A member of
// another type counts as absent. The path of a pageview without
// context.page.path is properties.pathname. The user agent and the address are
// those of the request; context.userAgent counts where the request had none.
//
// A record of another format is read from its translation. When a server sent it
// (the request has no Origin), the request's user agent and address are the
// server's, so the visitor's are read from the context: context.userAgent, and
// context.ip, cut to /24 or /48.
//
// Time follows EventTime.
func Parse(r *Record, into *Event) error {
	*into = Event{Receipt: r.Receipt, EventID: r.EventID, ReceivedAt: r.ReceivedAt}
	c := newCursor(r.Event(), MaxDepth)
	c.visitors = r.Context.Format != ""
	relayed := c.visitors && r.Context.Origin == ""
	if !relayed {
		into.UserAgent, into.IP = r.Context.UserAgent, r.Context.IP
	}
	var client time.Time
	for name := range c.members {
		switch name {
		case "event":
			into.Name = c.str()
		case "deviceId":
			into.DeviceID = c.str()
		case "userId":
			into.UserID = c.str()
		case "timestamp":
			client = c.time()
		case "properties":
			into.Properties = c.fields()
		case "userProperties":
			if p := c.fields(); p != nil {
				into.UserProperties = p
			}
		case "context":
			c.context(into)
		}
	}
	if err := c.End("more after the value"); err != nil {
		return err
	}
	if into.Name == "" || into.DeviceID == "" {
		return errors.New("parse event: no event or no deviceId")
	}
	if into.Page.Path == "" && into.Name == "pageview" {
		if v, ok := into.Lookup("pathname"); ok && v.Kind == String {
			into.Page.Path = v.Text
		}
	}
	into.Time, into.TimeFault = EventTime(client, r.ReceivedAt, r.Context.SentAt)
	return nil
}

// ReadName reads an event's name without parsing the rest: the first member
// "event" of an object. It is "" when that is not a string.
func ReadName(data []byte) string {
	s := NewScanner(data)
	if s.Peek() != '{' {
		return ""
	}
	for name := range s.Members {
		if string(s.data[name.Start:name.End]) != `"event"` && (!name.Escaped || string(unquote(s.data[name.Start:name.End])) != "event") {
			s.Skip()
			continue
		}
		if s.Peek() != '"' {
			break
		}
		switch text := s.Text(); {
		case s.err != nil:
		case text.Escaped:
			return string(unquote(data[text.Start:text.End]))
		default:
			return string(data[text.Start+1 : text.End-1])
		}
	}
	return ""
}

func (c *cursor) context(into *Event) {
	for name := range c.members {
		switch name {
		case "page":
			c.page(&into.Page)
		case "screen":
			c.screen(&into.Screen)
		case "locale":
			into.Locale = c.str()
		case "sessionId":
			into.SessionID = c.stringOrNumber()
		case "consent":
			into.Consent = c.consent()
		case "userAgent":
			if s := c.str(); into.UserAgent == "" || c.visitors && s != "" {
				into.UserAgent = s
			}
		case "ip":
			if addr, err := netip.ParseAddr(c.str()); err == nil && c.visitors && into.IP == "" {
				into.IP = CutIP(addr).String()
			}
		case "userProperties":
			if p := c.fields(); into.UserProperties == nil {
				into.UserProperties = p
			}
		}
	}
}

// CutIP keeps the first 24 bits of an IPv4 address and 48 of an IPv6 one, which do
// not identify a visitor. An IPv4 address within an IPv6 one counts as IPv4. The
// zero Addr stays itself.
func CutIP(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return netip.Addr{}
	}
	return network.Addr()
}

func (c *cursor) page(into *Page) {
	for name := range c.members {
		switch name {
		case "url":
			into.URL = c.str()
		case "path":
			into.Path = c.str()
		case "referrer":
			into.Referrer = c.str()
		case "title":
			into.Title = c.str()
		}
	}
}

func (c *cursor) screen(into *Screen) {
	for name := range c.members {
		switch name {
		case "width":
			into.Width = c.pixels()
		case "height":
			into.Height = c.pixels()
		}
	}
}

// consent reads purposes that are true or false; others are left out.
func (c *cursor) consent() map[string]bool {
	var purposes map[string]bool
	for name := range c.members {
		v := c.value()
		if v.Kind != True && v.Kind != False {
			continue
		}
		if purposes == nil {
			purposes = make(map[string]bool, 4)
		}
		purposes[name] = v.Kind == True
	}
	return purposes
}

// time reads an RFC 3339 time; the zero time is none.
func (c *cursor) time() time.Time {
	var t time.Time
	if s := c.str(); s != "" && t.UnmarshalText([]byte(s)) != nil {
		return time.Time{}
	}
	return t
}

// pixels reads the whole part of a number; what no screen has is 0.
func (c *cursor) pixels() int {
	const most = 1 << 20
	v := c.value()
	if v.Kind != Number {
		return 0
	}
	whole, _, _ := strings.Cut(v.Text, ".")
	n, err := strconv.Atoi(whole)
	if err != nil || n < 0 || n > most {
		return 0
	}
	return n
}

// stringOrNumber reads a string, or a number as its literal.
func (c *cursor) stringOrNumber() string {
	if v := c.value(); v.Kind == String || v.Kind == Number {
		return v.Text
	}
	return ""
}
