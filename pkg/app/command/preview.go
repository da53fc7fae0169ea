package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
)

// maxPreview bounds the file of a preview, in bytes: more than any event may have.
const maxPreview = 4 << 20

func trackersPreviewCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preview EVENT.json",
		Short: "Show what each tracker would send for an event, without sending it",
		Long: `Reads an event as a client sends it ("-" is the standard input) and shows, for
each configured tracker, what the plan and the sanitizer leave of it and the exact
request that the vendor would get, secrets masked; or why it would get none. It
needs no running gateway, and sends nothing. With --from segment the event is a
message as Segment's or RudderStack's SDKs send it. Without a sparrow.yaml it uses the
configuration of ` + "`sparrow dev`" + `.`,
		Example: "  sparrow trackers preview event.json\n  sparrow trackers preview event.json --tracker ga4 --now 2026-11-20T09:15:03Z --format json",
		Args:    exactArgs("EVENT.json"),
	}
	var o gateway.PreviewOptions
	cmd.Flags().StringVar(&o.Tracker, "tracker", "", "only this tracker")
	cmd.Flags().StringVar(&o.UserAgent, "user-agent", "", "the User-Agent of the request that brings the event")
	now := cmd.Flags().String("now", "", "when the event is received, such as 2026-11-20T09:15:03Z (default: now)")
	from := cmd.Flags().String("from", "sparrow", "whose event it is: sparrow or segment")
	format := cmd.Flags().String("format", "text", "how to print: text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf("format", *format, "text", "json"); err != nil {
			return err
		}
		if err := oneOf("from", *from, "sparrow", "segment"); err != nil {
			return err
		}
		o.Segment = *from == "segment"
		o.Now = time.Now()
		if *now != "" {
			at, err := time.Parse(time.RFC3339, *now)
			if err != nil {
				return usagef("--now %q: want a time such as 2026-11-20T09:15:03Z", *now)
			}
			o.Now = at
		}
		data, err := readEvent(cmd.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		settings, err := s.settings()
		if err != nil {
			return err
		}
		previews, err := gateway.Previews(settings, data, o)
		if err != nil {
			return usageError{err}
		}
		if *format == "json" {
			return writeJSON(cmd.OutOrStdout(), previews, "  ")
		}
		for i := range previews {
			if i > 0 {
				fmt.Fprintln(cmd.OutOrStdout())
			}
			printPreview(cmd.OutOrStdout(), &previews[i])
		}
		return nil
	}
	return cmd
}

func readEvent(stdin io.Reader, name string) ([]byte, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, usageError{err}
		}
		defer file.Close() //nolint:errcheck // it was only read
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPreview+1))
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	if len(data) > maxPreview {
		return nil, usagef("%s: larger than an event may be", name)
	}
	return bytes.TrimSpace(data), nil
}

func printPreview(w io.Writer, p *gateway.Preview) {
	fmt.Fprintf(w, "%s (%s, %s): %s", p.Tracker, p.Kind, p.Mode, p.Outcome)
	if p.Reason != "" {
		fmt.Fprintf(w, ": %s", printable(p.Reason))
	}
	fmt.Fprintln(w)
	printMap(w, "  ", p.Properties)
	if len(p.Event) > 0 {
		fmt.Fprintln(w, "\n  what is left:")
		printIndented(w, string(p.Event))
	}
	for i := range p.Requests {
		r := &p.Requests[i]
		fmt.Fprintf(w, "\n  %s %s\n", r.Method, printable(r.URL))
		printMap(w, "  ", r.Header)
		fmt.Fprintln(w)
		printIndented(w, r.Body)
	}
}

// printIndented prints JSON over several lines, any other text on one.
func printIndented(w io.Writer, text string) {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "  ", "  ") != nil {
		fmt.Fprintf(w, "  %s\n", printable(text))
		return
	}
	for line := range bytes.Lines(append([]byte("  "), b.Bytes()...)) {
		fmt.Fprintln(w, printable(string(bytes.TrimRight(line, "\n"))))
	}
}
