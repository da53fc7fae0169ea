package event_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// What an object must hold, by the reference.
var (
	errBroken = errors.New("breaks the contract")
	errSyntax = errors.New("not one JSON value")
)

// referenceInspect is InspectObject by jsontext's decoder.
func referenceInspect(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	broken := !utf8.Valid(data)
	names := []map[string]bool{nil} // of the open objects; nil for an array
	for first := true; ; first = false {
		isName := len(names) > 1 && names[len(names)-1] != nil && nameIsNext(d)
		token, err := d.ReadToken()
		if err == io.EOF && !first && len(names) == 1 {
			break
		}
		if err != nil {
			return errSyntax
		}
		if first && token.Kind() != '{' {
			broken = true
		}
		if len(names) == 1 && !first {
			return errSyntax // a second value
		}
		switch token.Kind() {
		case '{':
			names = append(names, map[string]bool{})
		case '[':
			names = append(names, nil)
		case '}', ']':
			names = names[:len(names)-1]
		case '"':
			if !isName {
				continue
			}
			name := token.String()
			broken = broken || names[len(names)-1][name] || strings.ContainsRune(name, 0)
			names[len(names)-1][name] = true
		}
		broken = broken || len(names) > event.MaxDepth+1
	}
	if broken {
		return errBroken
	}
	return nil
}

func nameIsNext(d *jsontext.Decoder) bool {
	_, length := d.StackIndex(d.StackDepth())
	return length%2 == 0
}

// compare checks that InspectObject and the reference judge data alike.
func compare(t *testing.T, data []byte) {
	t.Helper()
	if strings.Count(string(data), "[")+strings.Count(string(data), "{") > 9000 {
		return // jsontext has a bound of its own
	}
	got := event.InspectObject(data)
	want := referenceInspect(data)
	_, syntax := errors.AsType[*event.SyntaxError](got)
	if (got == nil) != (want == nil) || syntax != errors.Is(want, errSyntax) {
		t.Fatalf("%q: %v, the reference says: %v", data, got, want)
	}
}

// TestScannerAgreesWithReference compares the hand-written scanner with jsontext:
// on the contract's cases, and on 20,000 mutations of them.
func TestScannerAgreesWithReference(t *testing.T) {
	var corpus [][]byte
	for _, kind := range []string{"accepted", "refused"} {
		found := cases(t, kind)
		for _, name := range slices.Sorted(maps.Keys(found)) {
			compare(t, found[name])
			if len(found[name]) < 4096 {
				corpus = append(corpus, found[name])
			}
		}
	}
	corpus = append(corpus, typical, []byte(`{"a":[1,-0.5e+7,true,false,null,{"b":"\u00e9\n","c":{}}],"d":""}`))
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		compare(t, mutate(random, corpus))
	}
}

// mutate changes, removes, doubles or inserts a few bytes of one of the corpus.
func mutate(random *rand.Rand, corpus [][]byte) []byte {
	const pieces = "{}[]\":,\\/u0dD8 \n\t1-+.eEtfnx\x00\x1f\x7f\x80\xc3\xff"
	data := bytes.Clone(corpus[random.IntN(len(corpus))])
	for range 1 + random.IntN(3) {
		if len(data) == 0 {
			return data
		}
		at, piece := random.IntN(len(data)), pieces[random.IntN(len(pieces))]
		switch random.IntN(4) {
		case 0:
			data[at] = piece
		case 1:
			data = slices.Delete(data, at, min(len(data), at+1+random.IntN(4)))
		case 2:
			data = slices.Insert(data, at, data[at:min(len(data), at+1+random.IntN(20))]...)
		default:
			data = slices.Insert(data, at, piece)
		}
	}
	return data
}

// BenchmarkInspectReference is what jsontext's decoder needs to read an event's
// tokens and find repeated names, without the contract's other rules.
func BenchmarkInspectReference(b *testing.B) {
	b.SetBytes(int64(len(typical)))
	b.ReportAllocs()
	reader := bytes.NewReader(nil)
	d := jsontext.NewDecoder(reader)
	for b.Loop() {
		reader.Reset(typical)
		d.Reset(reader)
		for {
			if _, err := d.ReadToken(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
