package journal_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

func frame(records ...string) []byte {
	var body []byte
	for _, r := range records {
		body = journal.AppendRecord(body, []byte(r))
	}
	return journal.Seal(0x0102030405060708, 9, 10, uint32(len(records)), body)
}

func TestFrame(t *testing.T) {
	for name, records := range map[string][]string{
		"empty": {}, "one": {"a"}, "empty record": {""}, "several": {"a", "", "bc", string(make([]byte, 300))},
	} {
		t.Run(name, func(t *testing.T) {
			_, got, err := journal.DecodeFrame(frame(records...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asBytes(records), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The format on disk must not change by accident.
func TestFrameGolden(t *testing.T) {
	const want = "01000000" + "0bbeca9c" + "0102030405060708" + "0000000000000009" + "000000000000000a" + "00000002" + "0161" + "026263"
	if got := hex.EncodeToString(frame("a", "bc")); got != want {
		t.Errorf("want %s\n got %s", want, got)
	}
}

func TestFrameDamage(t *testing.T) {
	good := frame("a", "bc", "def")
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if _, _, err := journal.DecodeFrame(bad); err == nil {
				t.Errorf("bit %d of byte %d flipped: want an error", bit, i)
			}
		}
		if _, _, err := journal.DecodeFrame(good[:i]); err == nil {
			t.Errorf("cut to %d bytes: want an error", i)
		}
	}
	for name, bad := range map[string][]byte{
		"more records than bytes": journal.Seal(1, 1, 0, 1<<31, []byte{0}),
		"length beyond the end":   journal.Seal(1, 1, 0, 1, []byte{2, 'a'}),
		"endless length":          journal.Seal(1, 1, 0, 1, bytes.Repeat([]byte{0xff}, 12)),
		"bytes left over":         journal.Seal(1, 1, 0, 1, []byte{1, 'a', 'b'}),
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := journal.DecodeFrame(bad); err == nil {
				t.Error("want an error")
			}
		})
	}
}

// What decodes is whole: encoding it again gives the same bytes. The fuzzer
// cannot guess checksums, so a second form is sealed for it.
func FuzzFrame(f *testing.F) {
	f.Add(frame("a", "bc"), uint32(2))
	f.Add([]byte{1, 'a'}, uint32(1))
	f.Add([]byte{}, uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, count uint32) {
		if _, _, err := journal.DecodeFrame(b); err == nil && len(b) < journal.HeaderSize {
			t.Error("decoded less than a header")
		}
		_, records, err := journal.DecodeFrame(journal.Seal(1, 2, 3, count, b))
		if err != nil {
			return
		}
		if len(records) != int(count) {
			t.Fatalf("want %d records, got %d", count, len(records))
		}
		total := 0
		for _, r := range records {
			total += len(r)
		}
		if total > len(b) {
			t.Errorf("%d bytes of records from %d", total, len(b))
		}
	})
}
