package dispatcher_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// nullLog takes everything and keeps nothing: what remains is the dispatcher.
type nullLog struct{}

func (nullLog) Append(context.Context, [][]byte) (event.Position, error) {
	return event.Position{Seq: 1}, nil
}

func (nullLog) Ready(context.Context) error { return nil }

// discard is a ResponseWriter that counts nothing and keeps nothing.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

type closer struct{ *strings.Reader }

func (closer) Close() error { return nil }

// BenchmarkDispatch is the handler alone, without sockets and without a log: one
// event of 400 bytes, and a batch of 20.
func BenchmarkDispatch(b *testing.B) {
	single := `{"event":"purchase product","deviceId":"0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b","userId":"michelle1","eventId":"0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c","timestamp":"2026-01-31T12:00:00.123Z","properties":{"category":"billing","productName":"workers","price":12.50},"context":{"page":{"url":"https://dash.example.com/billing","path":"/billing","referrer":"","title":"Billing"},"locale":"en-GB"}}`
	for name, body := range map[string]string{"event": single, "batch20": "[" + strings.Repeat(single+",", 19) + single + "]"} {
		b.Run(name, func(b *testing.B) {
			d, err := dispatcher.New(testConfig(), nullLog{}, dispatcher.Options{Registerer: prometheus.NewRegistry()})
			if err != nil {
				b.Fatal(err)
			}
			router := chi.NewRouter()
			d.Mount(router, "/s")
			r := httptest.NewRequest(http.MethodPost, "/v1/events?key="+siteKey, nil)
			r.Header.Set("Origin", site)
			r.Header.Set("Content-Type", "text/plain;charset=UTF-8")
			r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36")
			r.ContentLength = int64(len(body))
			w := &discard{header: http.Header{}}
			reader := strings.NewReader(body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				reader.Reset(body)
				r.Body = closer{reader}
				if router.ServeHTTP(w, r); w.status != http.StatusOK {
					b.Fatalf("status %d", w.status)
				}
			}
		})
	}
}
