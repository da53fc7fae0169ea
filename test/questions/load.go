package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	writeKey    = "pk_questions_key"
	connections = 8
	names       = 50
	devices     = 200_000
	days        = 30
)

// load is so many events, in batches of a size. The seed gives their content.
type load struct {
	events, batch int
	seed          uint64
}

// post sends the events over a few connections.
func (l load) post(ctx context.Context, address string) error {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var sent atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for n := range connections {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(l.seed, uint64(n)))
			var body bytes.Buffer
			for {
				first := int(sent.Add(int64(l.batch))) - l.batch
				if first >= l.events {
					return nil
				}
				body.Reset()
				batch(&body, random, min(l.batch, l.events-first))
				if err := postOnce(ctx, client, address, body.Bytes()); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// postOnce posts a body until it is accepted: a gateway that is busy says when to
// come again.
func postOnce(ctx context.Context, client *http.Client, address string, body []byte) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/events?key="+writeKey, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err := response.Body.Close(); err != nil {
			return err
		}
		switch {
		case err != nil:
			return err
		case response.StatusCode == http.StatusOK:
			return nil
		case response.StatusCode != http.StatusServiceUnavailable:
			return fmt.Errorf("status %d", response.StatusCode)
		}
		timer := time.NewTimer(100 * time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// batch writes events of 50 names over 30 days, of 200,000 devices.
func batch(to *bytes.Buffer, random *rand.Rand, n int) {
	now := time.Now()
	to.WriteByte('[')
	for i := range n {
		if i > 0 {
			to.WriteByte(',')
		}
		device := random.IntN(devices)
		name := "pageview"
		switch k := random.IntN(100); {
		case k < 30:
		case k < 45:
			name = "view product"
		case k < 50:
			name = "purchase product"
		default:
			name = fmt.Sprintf("event %d", random.IntN(names-3))
		}
		at := now.Add(-time.Duration(random.Int64N(int64(days * 24 * time.Hour))))
		fmt.Fprintf(to, `{"event":%q,"deviceId":"device-%d"`, name, device)
		if device%3 == 0 {
			fmt.Fprintf(to, `,"userId":"user-%d"`, device)
		}
		fmt.Fprintf(to, `,"timestamp":%q,"properties":{"category":"category %d","productName":"product %d","price":%d.%02d,"quantity":%d,"pathname":"/pages/%d"},`+
			`"context":{"page":{"url":"https://shop.example.com/pages/%d?utm_source=x","path":"/pages/%d","referrer":"","title":"Page"},"locale":"en-GB","sessionId":"%d"}}`,
			at.UTC().Format("2006-01-02T15:04:05.000Z"), random.IntN(12), random.IntN(500), random.IntN(200), random.IntN(100), random.IntN(9), random.IntN(200),
			random.IntN(200), random.IntN(200), at.Unix()/1800*1000+int64(device%1000))
	}
	to.WriteByte(']')
}
