package tracker

import "reflect"

// Secrets returns every Secret that a configuration struct holds, so that they
// can be masked wherever something of the tracker is shown. Short ones, of which
// a mask would eat ordinary text, are left out.
func Secrets(config any) []string {
	const shortest = 4
	var found []string
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, key := range v.MapKeys() {
				walk(v.MapIndex(key))
			}
		case reflect.String:
			if v.Type() == reflect.TypeFor[Secret]() && v.Len() >= shortest {
				found = append(found, v.String())
			}
		}
	}
	walk(reflect.ValueOf(config))
	return found
}
