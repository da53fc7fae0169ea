package trackertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// batches calls do with random batches, of sizes that the lane may use.
func (k *check) batches(do func(batch []event.Event)) {
	r := rand.New(rand.NewPCG(7, 11))
	largest := max(min(k.traits.MaxBatch, 150), 1)
	for round := range 12 {
		size := 1 + r.IntN(largest)
		if round == 0 {
			size = largest
		}
		batch := Events(uint64(round), size)
		if round%6 == 5 {
			heavy(batch)
		}
		do(batch)
		if k.failed() {
			return
		}
	}
}

// heavy makes every other event nearly as large as an event may be.
func heavy(batch []event.Event) {
	for i := range batch {
		if i%2 == 0 {
			for j := range 20 {
				value := event.StringValue(strings.Repeat("päyload ", 350))
				batch[i].Properties = append(batch[i].Properties, event.Property{Name: "heavy_" + string(rune('a'+j)), Value: value})
			}
		}
	}
}

func eachEventInOnePlace(k *check) {
	k.batches(func(batch []event.Event) {
		requests, rejections := k.tracker.Requests(batch)
		places := make([]int, len(batch))
		for _, req := range requests {
			if len(req.Events) == 0 {
				k.failf("a request without events")
			}
			if !slices.IsSorted(req.Events) {
				k.failf("the indices of a request are not ascending: %v", req.Events)
			}
			for _, i := range req.Events {
				k.place(places, i)
			}
		}
		for _, rej := range rejections {
			k.place(places, rej.Event)
			if rej.Reason == "" {
				k.failf("event %d is rejected without a reason", rej.Event)
			}
		}
		for i, n := range places {
			switch {
			case n == 0:
				k.failf("event %d of %d is lost: it is in no request and in no rejection", i, len(batch))
			case n > 1:
				k.failf("event %d of %d is in %d requests and rejections, want exactly one", i, len(batch), n)
			}
		}
	})
}

func (k *check) place(places []int, i int) {
	if i < 0 || i >= len(places) {
		k.failf("index %d is outside the batch of %d", i, len(places))
		return
	}
	places[i]++
}

func emptyBatch(k *check) {
	for _, batch := range [][]event.Event{nil, {}} {
		requests, rejections := k.tracker.Requests(batch)
		if len(requests)+len(rejections) > 0 {
			k.failf("an empty batch gives %d requests and %d rejections", len(requests), len(rejections))
		}
	}
}

func limitsHold(k *check) {
	if k.spec.MaxEvents < 1 || k.spec.MaxBytes < 1 {
		k.failf("the spec names no limits")
	}
	k.batches(func(batch []event.Event) {
		requests, _ := k.tracker.Requests(batch)
		for _, req := range inOrder(requests) {
			if len(req.Events) > k.spec.MaxEvents {
				k.failf("a request of %d events, more than Spec.MaxEvents %d; tracker.Packer cuts them", len(req.Events), k.spec.MaxEvents)
			}
			if len(req.Body) > k.spec.MaxBytes {
				k.failf("a body of %d bytes, more than Spec.MaxBytes %d; tracker.Packer cuts them", len(req.Body), k.spec.MaxBytes)
			}
		}
	})
}

func requestsAreComplete(k *check) {
	sent := 0
	k.batches(func(batch []event.Event) {
		requests, _ := k.tracker.Requests(batch)
		for _, req := range inOrder(requests) {
			sent += len(req.Events)
			u, err := url.Parse(req.URL)
			if err != nil || u.Host == "" || u.Scheme != "https" && !loopback.IsHost(u.Hostname()) {
				k.failf("the URL is not https: %s", tracker.MaskURL(req.URL))
			}
			if req.Method == "" {
				k.failf("a request without a method")
			}
			if strings.Contains(req.Header.Get("Content-Type"), "json") {
				k.soundJSON(req.Body)
			}
		}
	})
	if sent == 0 {
		k.failf("not one of the suite's events is sent")
	}
}

// soundJSON checks that a body is JSON, and that no object in it has two members of
// one name: a vendor could take either. Different names can become the same when they
// are cut or cleaned.
func (k *check) soundJSON(body []byte) {
	_, err := jsontext.NewDecoder(bytes.NewReader(body)).ReadValue()
	at, _ := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !json.Valid(body):
		k.failf("the body is not JSON: %.200s", tracker.Redact(body, k.traits.Secrets))
	case errors.Is(err, jsontext.ErrDuplicateName):
		k.failf("the body has a name twice in one object, at %.200s; tracker.SortUnique keeps the first", tracker.Redact([]byte(at.JSONPointer), k.traits.Secrets))
	case err != nil:
		k.failf("the body is not JSON in UTF-8, at byte %d", at.ByteOffset)
	}
}

func encodingIsDeterministic(k *check) {
	other, _, err := k.build(k.spec.Config)
	if err != nil {
		k.failf("the second build of the same configuration fails: %v", err)
		return
	}
	k.batches(func(batch []event.Event) {
		requests, rejections := k.tracker.Requests(batch)
		for _, again := range []tracker.Tracker{k.tracker, other} {
			requests2, rejections2 := again.Requests(batch)
			if !reflect.DeepEqual(requests, requests2) || !reflect.DeepEqual(rejections, rejections2) {
				k.failf("the same %d events give different requests or rejections (a clock, a counter, the order of a map?): %s", len(batch), difference(requests, requests2))
			}
		}
	})
}

// difference says where two lists of requests first differ.
func difference(a, b []tracker.Request) string {
	if len(a) != len(b) {
		return fmt.Sprintf("%d requests, then %d", len(a), len(b))
	}
	for i := range a {
		switch {
		case a[i].URL != b[i].URL:
			return fmt.Sprintf("the URL of request %d", i)
		case !reflect.DeepEqual(a[i].Header, b[i].Header):
			return fmt.Sprintf("the header of request %d", i)
		case !slices.Equal(a[i].Events, b[i].Events):
			return fmt.Sprintf("the events of request %d: %v, then %v", i, a[i].Events, b[i].Events)
		case !bytes.Equal(a[i].Body, b[i].Body):
			return fmt.Sprintf("the body of request %d, from byte %d", i, common(a[i].Body, b[i].Body))
		case !reflect.DeepEqual(a[i].Before, b[i].Before):
			return fmt.Sprintf("what goes before request %d", i)
		}
	}
	return "the rejections"
}

// common is how many bytes are the same at the beginning of both.
func common(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func requestsAreIndependent(k *check) {
	batch := Events(3, max(min(k.traits.MaxBatch, 100), 2))
	spoilt, _ := k.tracker.Requests(batch)
	want := make([]tracker.Request, len(spoilt))
	for i := range spoilt {
		want[i] = clone(spoilt[i])
	}
	for i := range spoilt {
		for j := range spoilt[i].Body {
			spoilt[i].Body[j] = 'x'
		}
		for name := range spoilt[i].Header {
			spoilt[i].Header.Set(name, "x")
		}
		for j := range spoilt[i].Events {
			spoilt[i].Events[j] = -1
		}
		for j := i + 1; j < len(spoilt); j++ {
			if !reflect.DeepEqual(spoilt[j], want[j]) {
				k.failf("request %d shares its header, body or events with request %d: make them for each", i, j)
				return
			}
		}
	}
	if again, _ := k.tracker.Requests(batch); !reflect.DeepEqual(again, want) {
		k.failf("what a caller does to a request changes later ones: a header or body is shared")
	}
}

func clone(req tracker.Request) tracker.Request {
	req.Events, req.Header, req.Body = slices.Clone(req.Events), req.Header.Clone(), bytes.Clone(req.Body)
	if req.Before != nil {
		before := clone(*req.Before)
		req.Before = &before
	}
	return req
}

// whatGoesBefore: a request before another is of the same events and stands
// alone, and its answers are judged like any other.
func whatGoesBefore(k *check) {
	k.batches(func(batch []event.Event) {
		requests, _ := k.tracker.Requests(batch)
		for _, req := range requests {
			switch first := req.Before; {
			case first == nil:
			case !slices.Equal(first.Events, req.Events):
				k.failf("a request of events %v goes before one of %v", first.Events, req.Events)
			case first.Before != nil:
				k.failf("a request before another has one before it too")
			default:
				for _, resp := range []tracker.Response{answered(200, "{}", nil), answered(400, "<html>", nil), answered(503, "", nil), {Reach: tracker.Written}} {
					k.judge(*first, resp)
				}
			}
		}
	})
}

func inputIsNotChanged(k *check) {
	size := max(min(k.traits.MaxBatch, 300), 2)
	batch, want := Events(5, size), Events(5, size)
	requests, _ := k.tracker.Requests(batch)
	for _, req := range requests {
		before := clone(req)
		k.tracker.Judge(req, k.spec.Taken)
		k.tracker.Judge(req, answered(400, "{}", nil))
		if !reflect.DeepEqual(req, before) {
			k.failf("Judge changes the request it is given")
		}
	}
	for i := range batch {
		if !reflect.DeepEqual(batch[i], want[i]) {
			k.failf("Requests changes event %d of the batch it is given: clone what is to be sorted or cut", i)
		}
	}
}
