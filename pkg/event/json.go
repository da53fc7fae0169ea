package event

import "github.com/go-json-experiment/json/jsontext"

// AppendJSON appends the value as compact JSON. Numbers are written as the
// client wrote them; strings are escaped no more than RFC 8259 asks, with
// invalid UTF-8 replaced.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.Kind {
	case False:
		return append(b, "false"...)
	case True:
		return append(b, "true"...)
	case Number:
		return append(b, v.Text...)
	case String:
		return AppendQuoted(b, v.Text)
	case Array:
		b = append(b, '[')
		for i := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.Items[i].AppendJSON(b)
		}
		return append(b, ']')
	case Object:
		return AppendObject(b, v.Fields)
	default:
		return append(b, "null"...)
	}
}

// AppendObject appends properties as a JSON object, in their order.
func AppendObject(b []byte, fields []Property) []byte {
	b = append(b, '{')
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendQuoted(b, fields[i].Name)
		b = append(b, ':')
		b = fields[i].Value.AppendJSON(b)
	}
	return append(b, '}')
}

// AppendQuoted appends s as a JSON string, with invalid UTF-8 replaced.
func AppendQuoted(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error only says that something was replaced
	return b
}
