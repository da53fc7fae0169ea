package command

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/trail"
)

func eventsCommand(s *invocation) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events ID",
		Short: "Say where one event went, tracker by tracker",
		Long: `Prints the trail of an event, by its event id or its receipt: what was stored, and
its outcome at each tracker with the reason. An event that was held back was
not stored row by row: its reason is worked out again from the plan that was in
force. With --request the exact request each vendor gets is shown, secrets
masked, after the one that goes before it, where the vendor checks events first.`,
		Example: "  sparrow events 0190a5e2-7c1b-7cc0-8b4e-1f2e3d4c5b6a\n  sparrow events 0190a5e2-7c1b-7cc0-8b4e-1f2e3d4c5b6a --request",
		Args:    exactArgs("ID"),
	}
	request := cmd.Flags().Bool("request", false, "show the exact request each vendor gets")
	format := cmd.Flags().String("format", "text", "how to print: text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf("format", *format, "text", "json"); err != nil {
			return err
		}
		ops, err := s.stored(cmd.Context())
		if err != nil {
			return err
		}
		defer ops.Close()
		trails, err := ops.Event(cmd.Context(), args[0], *request)
		if err != nil {
			return err
		}
		if *format == "json" {
			return writeJSON(cmd.OutOrStdout(), trails, "  ")
		}
		for i, t := range trails {
			if i > 0 {
				fmt.Fprintln(cmd.OutOrStdout())
			}
			printTrail(cmd.OutOrStdout(), t)
		}
		return nil
	}
	return cmd
}

func printTrail(w io.Writer, t trail.Trail) {
	fmt.Fprintf(w, "event     %s\n", printable(t.Event))
	fmt.Fprintf(w, "event id  %s\n", printable(t.EventID))
	fmt.Fprintf(w, "receipt   %s\n", t.Receipt)
	fmt.Fprintf(w, "source    %s\n", printable(t.Source))
	fmt.Fprintf(w, "received  %s\n", t.ReceivedAt.UTC().Format(time.RFC3339Nano))
	if t.Duplicate {
		fmt.Fprintln(w, "duplicate of an earlier event with this id: kept, sent to no vendor")
	}
	fmt.Fprintf(w, "data      %s\n", printable(t.Data))
	if len(t.Steps) > 0 {
		fmt.Fprintln(w)
	}
	for _, step := range t.Steps {
		printStep(w, step)
	}
}

func printStep(w io.Writer, step trail.Step) {
	line := fmt.Sprintf("%-12s %s", step.Tracker, step.Outcome)
	if step.Reason != "" {
		line += ": " + printable(step.Reason)
	}
	var details []string
	if step.Status != 0 {
		details = append(details, fmt.Sprintf("status %d", step.Status))
	}
	if step.Attempts > 1 {
		details = append(details, fmt.Sprintf("%d attempts", step.Attempts))
	}
	if step.Latency > 0 {
		details = append(details, fmt.Sprintf("%.0f ms", step.Latency))
	}
	if step.Run > 0 {
		details = append(details, fmt.Sprintf("replay %d", step.Run))
	}
	if !step.Time.IsZero() {
		details = append(details, step.Time.UTC().Format(time.RFC3339))
	}
	if len(details) > 0 {
		line += "  (" + strings.Join(details, ", ") + ")"
	}
	fmt.Fprintln(w, line)
	const indent = "             "
	if step.Error != "" {
		fmt.Fprintf(w, "%s%s\n", indent, printable(step.Error))
	}
	printMap(w, indent, step.Properties)
	for i := range step.Requests {
		r := &step.Requests[i]
		fmt.Fprintf(w, "%s%s %s\n", indent, r.Method, printable(r.URL))
		printMap(w, indent, r.Header)
		fmt.Fprintf(w, "%s%s\n", indent, printable(r.Body))
	}
}
