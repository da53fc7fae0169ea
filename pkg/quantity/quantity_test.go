package quantity_test

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]quantity.Size{
		"10GiB": 10 * quantity.GiB, "64 MiB": 64 * quantity.MiB, "1.5KiB": 1536, "20MB": 20_000_000, "512": 512, "7B": 7, "0": 0,
	} {
		var s quantity.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q = %d, %v; want %d", text, s, err, want)
		}
		var again quantity.Size
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s {
			t.Errorf("%q is written as %q and read back as %d, %v", text, s, again, err)
		}
	}
	for _, text := range []string{"", "GiB", "-1KiB", "1 XiB", "NaN", "1e300TiB", "Inf"} {
		var s quantity.Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, s)
		}
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]quantity.Rate{"500/s": 500, "15000/min": 250, "3600 / h": 1, "7": 7} {
		var r quantity.Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q = %v, %v; want %v", text, r, err, want)
		}
	}
	for _, text := range []string{"", "/s", "5/day", "-1/s", "NaN/s", "Inf"} {
		var r quantity.Rate
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, r)
		}
	}
}
