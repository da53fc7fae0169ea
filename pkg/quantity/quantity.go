// Package quantity reads the units that configuration files use: sizes such as
// "10GiB" and rates such as "500/s". Durations are Go's own ("168h").
package quantity

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written with a unit: B, KiB, MiB, GiB, TiB, or
// the decimal kB, MB, GB, TB.
type Size int64

// The binary units.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

var sizeUnits = []struct {
	name string
	size Size
}{
	{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, // largest first: String takes the first that divides
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// UnmarshalText reads "64MiB", "1.5 GiB" or "1048576".
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), Size(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 || n*float64(unit) >= math.MaxInt64 || math.IsNaN(n) {
		return errors.New("want a size with a unit, such as 64MiB")
	}
	*s = Size(n * float64(unit))
	return nil
}

// String writes the size with the largest binary unit that divides it.
func (s Size) String() string {
	for _, u := range sizeUnits[:4] {
		if s >= u.size && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText writes what String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Rate is a number of events per second, written "500/s", "15000/min" or
// "100/h". 0 means no limit.
type Rate float64

var rateUnits = map[string]time.Duration{"s": time.Second, "min": time.Minute, "m": time.Minute, "h": time.Hour}

// UnmarshalText reads "500/s".
func (r *Rate) UnmarshalText(text []byte) error {
	number, unit, found := strings.Cut(strings.TrimSpace(string(text)), "/")
	per := time.Second
	if found {
		per = rateUnits[strings.TrimSpace(unit)]
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || per == 0 || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
		return errors.New("want a rate, such as 500/s or 15000/min")
	}
	*r = Rate(n / per.Seconds())
	return nil
}

// String writes the rate per second.
func (r Rate) String() string { return strconv.FormatFloat(float64(r), 'g', -1, 64) + "/s" }

// MarshalText writes what String does.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
