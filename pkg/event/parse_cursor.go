package event

// cursor reads a JSON text front to back, each byte once. Its text is a copy of
// its data: strings without escapes are parts of it, so that an event costs one
// copy. After the first fault every read returns nothing.
type cursor struct {
	data  []byte
	text  string
	at    int // start of the next value
	depth int
	err   error
	// visitors: the context says who the visitor is, not who sent the request.
	visitors bool
}

// ParseValue reads one JSON value: a sound one, or the error says why it is
// none. It takes MaxDepth levels of nesting. Nothing in it aliases data.
func ParseValue(data []byte) (Value, error) {
	c := cursor{data: data, text: string(data)}
	c.at = SkipSpace(data, 0)
	v := c.value()
	if c.err == nil && SkipSpace(data, c.at) != len(data) {
		c.fail("more after the value")
	}
	if c.err != nil {
		return Value{}, c.err
	}
	return v, nil
}

// members is where a cursor stands within an object.
type members struct {
	name  string // of the member at hand
	open  bool   // there is more to read
	first bool   // no member was read yet
}

func (c *cursor) fail(what string) {
	if c.err == nil {
		c.err = syntax(c.data, c.at, what)
	}
}

// object enters the object at the cursor. A value of another type is skipped,
// and has no members.
func (c *cursor) object() members {
	if c.err != nil || c.at >= len(c.data) || c.data[c.at] != '{' {
		c.skip()
		return members{}
	}
	if !c.enter() {
		return members{}
	}
	return members{open: true, first: true}
}

// next goes to the value of the next member, or behind the object.
func (c *cursor) next(m *members) bool {
	if !m.open || !c.more(m.first, '}') {
		return false
	}
	m.first = false
	if c.at >= len(c.data) || c.data[c.at] != '"' {
		c.fail("expected a name in quotes")
		return false
	}
	m.name = c.quoted()
	if c.err != nil {
		return false
	}
	at, err := skipColon(c.data, c.at)
	c.at, c.err = at, err
	return err == nil
}

// more reads the comma before the next element, or the closing byte.
func (c *cursor) more(first bool, closing byte) bool {
	if c.err != nil {
		return false
	}
	c.at = SkipSpace(c.data, c.at)
	switch {
	case c.at < len(c.data) && c.data[c.at] == closing:
		c.at++
		c.depth--
		return false
	case first:
		return true
	case c.at < len(c.data) && c.data[c.at] == ',':
		c.at = SkipSpace(c.data, c.at+1)
		return true
	}
	c.fail("expected a comma or a closing bracket")
	return false
}

func (c *cursor) enter() bool {
	if c.depth == MaxDepth {
		c.fail("nested deeper than 64 levels")
		return false
	}
	c.depth++
	c.at = SkipSpace(c.data, c.at+1)
	return true
}

func (c *cursor) skip() {
	if c.err != nil {
		return
	}
	if c.at >= len(c.data) {
		c.fail("expected a value")
		return
	}
	c.at, c.err = SkipValue(c.data, c.at)
}

// str reads a string; a value of another type is skipped and reads as "".
func (c *cursor) str() string {
	if c.err != nil || c.at >= len(c.data) || c.data[c.at] != '"' {
		c.skip()
		return ""
	}
	return c.quoted()
}

// quoted decodes the string at the cursor.
func (c *cursor) quoted() string {
	end, escaped, err := skipString(c.data, c.at)
	if err != nil {
		c.err = err
		return ""
	}
	start := c.at
	c.at = end
	if escaped {
		return string(unquote(c.data[start:end]))
	}
	return c.text[start+1 : end-1]
}

// fields reads an object's members, in their order; nil for another type.
func (c *cursor) fields() []Property {
	var list []Property
	for m := c.object(); c.next(&m); {
		if list == nil {
			list = make([]Property, 0, 8)
		}
		list = append(list, Property{Name: m.name, Value: c.value()})
	}
	return list
}

// value reads any value.
func (c *cursor) value() Value {
	if c.err != nil || c.at >= len(c.data) {
		c.skip()
		return Value{}
	}
	switch c.data[c.at] {
	case '"':
		return Value{Kind: String, Text: c.quoted()}
	case '{':
		return Value{Kind: Object, Fields: c.fields()}
	case '[':
		return c.array()
	}
	start := c.at
	c.at, c.err = skipScalar(c.data, c.at)
	if c.err != nil {
		return Value{}
	}
	switch c.data[start] {
	case 't':
		return Value{Kind: True}
	case 'f':
		return Value{Kind: False}
	case 'n':
		return Value{}
	}
	return Value{Kind: Number, Text: c.text[start:c.at]}
}

func (c *cursor) array() Value {
	v := Value{Kind: Array}
	if !c.enter() {
		return Value{}
	}
	for first := true; c.more(first, ']'); first = false {
		v.Items = append(v.Items, c.value())
	}
	return v
}
