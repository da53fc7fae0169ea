package event

// cursor reads values out of a JSON text. Its text is a copy of its data:
// strings without escapes are parts of it, so that an event costs one copy.
type cursor struct {
	Scanner
	text   string
	levels int // of nesting that may still be entered
	// visitors: the context says who the visitor is, not who sent the request.
	visitors bool
}

func newCursor(data []byte, levels int) cursor {
	return cursor{Scanner: NewScanner(data), text: string(data), levels: levels}
}

// ParseValue reads one JSON value, nested at most the given levels deep; the error
// says why data is none. Nothing in the value aliases data.
func ParseValue(data []byte, levels int) (Value, error) {
	c := newCursor(data, levels)
	v := c.value()
	if err := c.End("more after the value"); err != nil {
		return Value{}, err
	}
	return v, nil
}

// enter reports whether one level more is allowed.
func (c *cursor) enter() bool {
	if c.levels == 0 {
		c.fail(c.at, "nested too deep")
		return false
	}
	c.levels--
	return true
}

// members enters the object at hand and yields its members' names. It skips the
// value of a member that the loop's body does not read. A value of another type is
// skipped, and has no members.
func (c *cursor) members(yield func(name string) bool) {
	if c.Peek() != '{' {
		c.Skip()
		return
	}
	if !c.enter() {
		return
	}
	for name := range c.Members {
		value := c.at
		if !yield(c.decode(name)) {
			return
		}
		if c.at == value {
			c.Skip()
		}
	}
	c.levels++
}

// str reads a string; a value of another type is skipped and reads as "".
func (c *cursor) str() string {
	if c.Peek() != '"' {
		c.Skip()
		return ""
	}
	return c.decode(c.Text())
}

func (c *cursor) decode(q Quoted) string {
	switch {
	case c.err != nil:
		return ""
	case q.Escaped:
		return string(unquote(c.data[q.Start:q.End]))
	}
	return c.text[q.Start+1 : q.End-1]
}

// fields reads an object's members, in their order; nil for another type.
func (c *cursor) fields() []Property {
	var list []Property
	for name := range c.members {
		if list == nil {
			list = make([]Property, 0, 8)
		}
		list = append(list, Property{Name: name, Value: c.value()})
	}
	return list
}

// value reads any value.
func (c *cursor) value() Value {
	start := c.at
	switch c.Peek() {
	case '"':
		return Value{Kind: String, Text: c.decode(c.Text())}
	case '{':
		return Value{Kind: Object, Fields: c.fields()}
	case '[':
		return Value{Kind: Array, Items: c.items()}
	case 't':
		c.scalar()
		return Value{Kind: True}
	case 'f':
		c.scalar()
		return Value{Kind: False}
	case 'n':
		c.scalar()
		return Value{}
	}
	c.scalar()
	return Value{Kind: Number, Text: c.text[start:c.at]}
}

func (c *cursor) items() []Value {
	if !c.enter() {
		return nil
	}
	var list []Value
	for range c.Elements {
		list = append(list, c.value())
	}
	c.levels++
	return list
}
