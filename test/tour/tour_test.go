// Package tour_test walks the README's five-minute tour with the real binary:
// `sparrow dev` and the commands that it tells a newcomer to try.
package tour_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	key     = "pk_demo_key"
	example = `{"event":"purchase product","deviceId":"desktop1","userId":"michelle1","properties":{"category":"billing","productName":"workers"}}`
)

func dev(t *testing.T) *harness.Gateway {
	t.Helper()
	g := harness.New(t, nil, "dev", "--listen", "{{listen}}")
	g.Start()
	return g
}

func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestTour(t *testing.T) {
	g := dev(t)
	if status, answer := g.Post(key, example); status != http.StatusOK || strings.TrimSpace(answer) != `{"accepted":1}` {
		t.Fatalf("POST: %d %s", status, answer)
	}
	const sql = "select event, deviceId, userId, category, productName from raw_normalized where event='purchase product'"
	g.Await("the event in the warehouse", 30*time.Second, func() bool { return len(g.Query(sql)) == 1 })
	want := map[string]string{"event": "purchase product", "deviceId": "desktop1", "userId": "michelle1", "category": "billing", "productName": "workers"}
	for column, value := range want {
		if got := g.Query(sql)[0][column]; got != value {
			t.Errorf("%s = %v, want %s", column, got, value)
		}
	}
	if got := g.Query("select data from raw")[0]["data"]; got != example {
		t.Errorf("raw.data = %v, want the bytes as sent: %s", got, example)
	}
	id := g.Query("select eventId from raw")[0]["eventId"].(string)
	g.Await("an outcome at each tracker", 30*time.Second, func() bool {
		return strings.Count(g.Command("events", id), "filtered: dry-run") == 3
	})
	way := g.Command("events", id, "--request")
	for _, part := range []string{"ga4", "heap", "amplitude", "api2.amplitude.com", "google-analytics.com", "heapanalytics.com", "workers"} {
		if !strings.Contains(way, part) {
			t.Errorf("sparrow events --request does not show %q:\n%s", part, way)
		}
	}
	for _, secret := range []string{"not-a-secret", "not-a-real-key"} {
		if strings.Contains(way, secret) {
			t.Errorf("sparrow events --request shows a secret:\n%s", way)
		}
	}
}

func TestTailShowsEventsAsTheyCome(t *testing.T) {
	g := dev(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tail := exec.CommandContext(ctx, harness.Binary(t), "tail", "--count", "1", "--format", "json")
	tail.Dir = g.Dir
	var out strings.Builder
	tail.Stdout = &out
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- tail.Wait() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; { // tail shows what comes after it has begun
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("sparrow tail: %v", err)
			}
			waiting = false
		case <-tick.C:
			g.Post(key, example)
		}
	}
	var shown struct{ Event, DeviceID, Source string }
	if err := json.Unmarshal([]byte(out.String()), &shown); err != nil || shown.Event != "purchase product" || shown.DeviceID != "desktop1" {
		t.Errorf("sparrow tail printed %q (%v)", out.String(), err)
	}
}

func TestPages(t *testing.T) {
	g := dev(t)
	for path, part := range map[string]string{
		"/": "sparrow", "/docs": "docs/swagger-ui-bundle.js", "/docs/swagger-ui-bundle.js": "SwaggerUIBundle", "/openapi.json": `"openapi"`, "/s/sparrow.js": "sparrow", "/metrics": "sparrow_", "/healthz": "", "/readyz": "",
	} {
		if status, body := get(t, g.URL+path, ""); status != http.StatusOK || !strings.Contains(body, part) {
			t.Errorf("%s: status %d, %d bytes, without %q", path, status, len(body), part)
		}
	}
	if status, _ := get(t, g.URL+"/", "evil.example.com"); status == http.StatusOK {
		t.Error("sparrow dev answers to another host's name: DNS rebinding")
	}
	for _, path := range []string{"/query", "/trackers", "/tail", "/reconcile", "/views"} {
		if status, _ := get(t, g.URL+path, ""); status != http.StatusNotFound {
			t.Errorf("admin route %s answers %d on the public listener", path, status)
		}
	}
}

func TestTheWarehouseCanBeReadWhileNoGatewayRuns(t *testing.T) {
	g := dev(t)
	g.Post(key, example)
	g.Await("the event in the warehouse", 30*time.Second, func() bool { return len(g.Query("select 1 from raw")) == 1 })
	g.Stop(time.Minute)
	if rows := g.Query("select count(*) as n from raw"); harness.Number(rows[0], "n") != 1 {
		t.Errorf("rows after the gateway ended: %v", rows)
	}
	if out, err := g.TryCommand("trackers", "list"); err == nil || !strings.Contains(out, "no gateway is running") {
		t.Errorf("trackers list without a gateway: %v: %s", err, out)
	}
	g.Start()
	if rows := g.Query("select count(*) as n from raw"); harness.Number(rows[0], "n") != 1 {
		t.Errorf("rows after a restart: %v", rows)
	}
}

// TestDataIsTheOwnersAlone: other users of the machine can read no event, whatever the
// rights of the directory are, and also files of an earlier release.
func TestDataIsTheOwnersAlone(t *testing.T) {
	g := harness.New(t, map[string]string{"sparrow.yaml": "listen: {{listen}}\nsources: [{ name: shop, keys: [pk_tour_key] }]\n", "plan.yaml": "events: {}\n"}, "serve")
	data := filepath.Join(g.Dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	check := func() (files int) {
		err := filepath.WalkDir(data, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			info, err := entry.Info()
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the rights %v", path, info.Mode().Perm())
			}
			files++
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	g.Start()
	g.Query("select 1 as one") // the warehouse is open
	if check() < 3 {
		t.Error("there are no files to check")
	}
	g.Stop(time.Minute)
	warehouse := filepath.Join(data, "warehouse.duckdb")
	if err := os.Chmod(warehouse, 0o644); err != nil {
		t.Fatal(err)
	}
	g.Start()
	check()
}

func TestSecondGatewayIsRefused(t *testing.T) {
	g := dev(t)
	out, err := g.TryCommand("dev", "--listen", "127.0.0.1:0")
	if err == nil || !strings.Contains(out, "is in use by process") {
		t.Errorf("a second gateway on the same data: %v: %s", err, out)
	}
}

func TestExampleConfiguration(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"sparrow.yaml", "plan.yaml"} {
		text, err := os.ReadFile(filepath.Join(harness.Root(), "deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(env ...string) (string, error) {
		cmd := exec.Command(harness.Binary(t), "config", "check", "--config", filepath.Join(dir, "sparrow.yaml"))
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	env := []string{"BACKEND_WRITE_KEY=sk_backend_write_key", "GA4_API_SECRET=ga4-api-secret", "AMPLITUDE_API_KEY=amplitude-api-key", "SENTRY_DSN="}
	if out, err := run(env...); err != nil {
		t.Errorf("config check of deploy/sparrow.yaml: %v\n%s", err, out)
	}
	out, err := run(env[1:]...)
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 2 || !strings.Contains(out, "BACKEND_WRITE_KEY is not set") {
		t.Errorf("config check without a variable: %v\n%s", err, out)
	}
}

func TestHelpOfEveryCommandShowsAnExample(t *testing.T) {
	for _, command := range [][]string{
		{"dev"}, {"serve"}, {"query"}, {"events"}, {"tail"}, {"reconcile"}, {"trackers"}, {"trackers", "list"}, {"trackers", "remove"},
		{"plan"}, {"plan", "check"}, {"views"}, {"views", "print"}, {"views", "apply"}, {"config"}, {"config", "check"}, {"health"}, {"version"},
	} {
		out, err := exec.Command(harness.Binary(t), append(command, "--help")...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Examples:") {
			t.Errorf("sparrow %s --help: %v, or no example:\n%s", strings.Join(command, " "), err, out)
		}
	}
}
