package vendortest_test

import (
	"encoding/json"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

func TestANameThatStandsTwiceIsFound(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}`: "",
		`{"a":1,"A":2}`:                       "",
		`{"a":1,"a":1}`:                       "a",
		`{"a":1,"\u0061":1}`:                  "a",
		`{"a":[1,{"b":{"c":1,"d":1,"c":2}}]}`: "c",
		`[[],{},{"a":1,"b":{},"a":[]}]`:       "a",
		`{"a":1,"b":`:                         "", // not JSON
		"{\"\xff\":1,\"b\":1,\"b\":2}":        "b",
		`"a"`:                                 "",
		"":                                    "",
	} {
		if name, found := vendortest.Repeated([]byte(text)); name != want || found != (want != "") {
			t.Errorf("%s: %q, %t, want %q", text, name, found, want)
		}
	}
}

func TestDecodeTakesOneValue(t *testing.T) {
	var number any
	if err := vendortest.Decode([]byte(" 1.10 "), &number); err != nil || number != json.Number("1.10") {
		t.Errorf("%v, %v: want the digits as they came", number, err)
	}
	for _, text := range []string{"", "{", "1 2", "{}{}", "{} x"} {
		var into any
		if vendortest.Decode([]byte(text), &into) == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestLengthCountsAsJavaScript(t *testing.T) {
	for text, want := range map[string]int{"": 0, "zürich": 6, "東京": 2, "🐦": 2} {
		if got := vendortest.Length(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
