package command_test

import (
	"os"
	"path/filepath"
	"testing"
)

// signedIn is what the browser SDK sends after identify("michelle1"), of a page
// that gives the user's properties and Heap's number of the visitor as its context
// and the event's properties.
const signedIn = `{"event":"signed in","deviceId":"0190a5e2-7c1b-7cc0-8b4e-1f2e3d4c5b6a","userId":"michelle1",` +
	`"properties":{"heap":"8612730184312740","method":"password"},"eventId":"0190a5e2-7c1b-7cc0-8b4e-1f2e3d4c5b6b","timestamp":"2026-11-20T09:15:02.417Z",` +
	`"context":{"page":{"url":"https://app.example.com/home?utm_source=nl","path":"/home","referrer":"https://www.google.com/","title":"Home"},` +
	`"locale":"en-GB","screen":{"width":1440,"height":900},"sessionId":"1795165800000",` +
	`"userProperties":{"plan":"pro","seats":12,"mail":"jane@example.com","age":"not in the plan"}}}`

// What identify and user properties become at each vendor, from the SDK's event to
// the request, is kept in a golden file.
func TestPreviewOfIdentify(t *testing.T) {
	golden, err := filepath.Abs("testdata/preview/identify.golden")
	if err != nil {
		t.Fatal(err)
	}
	inDirectory(t, map[string]string{
		"event.json": signedIn,
		"plan.yaml": `events:
  signed in: { properties: { heap: string, method: string } }
userProperties: { plan: string, seats: integer, mail: string }
`,
		"sparrow.yaml": `environment: development
sources: [{ name: web, keys: [pk_preview_1] }]
trackers:
  - { kind: ga4, measurementId: G-PREVIEW01, apiSecret: not-a-real-secret }
  - { kind: amplitude, apiKey: not-a-real-key, identify: signed in }
  - { kind: amplitude, name: amplitude-plain, apiKey: not-a-real-key }
  - { kind: heap, appId: "2183640915", heapUserId: heap, identify: signed in }
`,
	})
	code, got, errs := sparrow(t, "trackers", "preview", "event.json", "--now", previewTime)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || got != string(want) {
		t.Errorf("%v; run with -update and read the difference. Got:\n%s", err, got)
	}
}
