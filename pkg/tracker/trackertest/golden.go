package trackertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// goldenRequests compares what the tracker makes of each case of the corpus with
// a file of that name.
func goldenRequests(k *check) {
	for _, c := range Corpus() {
		requests, rejections := k.tracker.Requests(c.Events)
		got := render(requests, rejections, k.traits.Secrets)
		file := filepath.Join(k.spec.Golden, c.Name+".golden")
		if k.spec.Update {
			if err := rewrite(file, got); err != nil {
				k.failf("update %s: %v", file, err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			k.failf("%v: run the test with -update, and read what it wrote", err)
			continue
		}
		if !bytes.Equal(got, want) {
			line := firstDifference(got, want)
			k.failf("%s: differs in line %d; run the test with -update, and read the difference\n\twant %s\n\tgot  %s", file, line, lineOf(want, line), lineOf(got, line))
		}
	}
}

func rewrite(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

// render writes requests the way HTTP does, with secrets masked and the body
// indented, and rejections after them.
func render(requests []tracker.Request, rejections []tracker.Rejection, secrets []tracker.Secret) []byte {
	var b bytes.Buffer
	for _, req := range inOrder(requests) {
		fmt.Fprintf(&b, "# events %v\n%s %s\n", req.Events, req.Method, tracker.MaskURL(req.URL))
		names := make([]string, 0, len(req.Header))
		for name := range req.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			fmt.Fprintf(&b, "%s: %s\n", name, tracker.Redact([]byte(strings.Join(req.Header[name], ", ")), secrets))
		}
		b.WriteByte('\n')
		body := tracker.Redact(req.Body, secrets)
		if json.Indent(&b, body, "", "  ") != nil {
			b.Write(body)
		}
		b.WriteString("\n\n")
	}
	for _, rej := range rejections {
		word := "rejected"
		if rej.Skip {
			word = "skipped"
		}
		fmt.Fprintf(&b, "# event %d %s: %s\n", rej.Event, word, rej.Reason)
	}
	return b.Bytes()
}

// inOrder is the requests as they are sent, each after the one before it.
func inOrder(requests []tracker.Request) []tracker.Request {
	var list []tracker.Request
	for _, req := range requests {
		if req.Before != nil {
			list = append(list, *req.Before)
		}
		list = append(list, req)
	}
	return list
}

func firstDifference(a, b []byte) int {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return i + 1
		}
	}
	return min(len(x), len(y)) + 1
}

// lineOf is a line of a text, counted from 1, and cut.
func lineOf(text []byte, n int) string {
	lines := bytes.Split(text, []byte("\n"))
	if n > len(lines) {
		return "nothing more"
	}
	return fmt.Sprintf("%.300s", lines[n-1])
}
