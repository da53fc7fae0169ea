package vendortest_test

import (
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
