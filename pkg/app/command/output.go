package command

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

func addFormat(cmd *cobra.Command) *string {
	return cmd.Flags().String("format", "table", "how to print: table, json (an array of objects) or csv (with a header line)")
}

func checkFormat(format string) error { return oneOf("format", format, "table", "json", "csv") }

// oneOf is the error for a flag whose value is none of those allowed.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	last := len(allowed) - 1
	return usagef("--%s %q: want %s or %s", flag, value, strings.Join(allowed[:last], ", "), allowed[last])
}

// printTable writes a table in a format that checkFormat allows.
func printTable(w io.Writer, t *admin.Table, format string) error {
	switch format {
	case "json":
		return printJSON(w, t)
	case "csv":
		return printCSV(w, t)
	default:
		return printText(w, t)
	}
}

// printMap prints a line for each entry, by name.
func printMap(w io.Writer, indent string, entries map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(w, "%s%s: %s\n", indent, printable(name), printable(entries[name]))
	}
}

// printJSON writes an array of objects whose keys keep the order of the columns.
func printJSON(w io.Writer, t *admin.Table) error {
	var b strings.Builder
	b.WriteString("[")
	for i, row := range t.Rows {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  {")
		for j, value := range row {
			if j > 0 {
				b.WriteString(", ")
			}
			key, keyErr := marshalPlain(t.Columns[j].Name)
			text, err := marshalPlain(value)
			if err = errors.Join(keyErr, err); err != nil {
				return fmt.Errorf("print column %s: %w", t.Columns[j].Name, err)
			}
			b.WriteString(key + ": " + text)
		}
		b.WriteString("}")
	}
	if len(t.Rows) > 0 {
		b.WriteString("\n")
	}
	b.WriteString("]\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func printCSV(w io.Writer, t *admin.Table) error {
	out := csv.NewWriter(w)
	record := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		record[i] = neutral(c.Name)
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for _, row := range t.Rows {
		for i, v := range row {
			record[i] = cell(v)
			if _, text := v.(string); text {
				record[i] = neutral(record[i])
			}
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// neutral keeps a spreadsheet from taking a text that came from a client for a
// formula (OWASP, "CSV Injection"), and a terminal from obeying it. Tabs and
// line breaks stay, they are quoted.
func neutral(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func printText(w io.Writer, t *admin.Table) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = printable(c.Name)
	}
	fmt.Fprintln(out, strings.Join(heads, "\t"))
	for _, row := range t.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = printable(cell(v))
		}
		fmt.Fprintln(out, strings.Join(cells, "\t"))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if len(t.Rows) == 0 {
		_, err := fmt.Fprintln(w, "(no rows)")
		return err
	}
	return nil
}

func cell(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// printable keeps control characters that came from a client away from the
// terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unruly(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// withoutControls is printable for a text of several lines.
func withoutControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unruly(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// writeJSON writes a value as JSON and a line break. indent is for each level,
// "" for all on one line.
func writeJSON(w io.Writer, v any, indent string) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, escaped(b.String()))
	return err
}

// marshalPlain is a value as JSON on one line.
func marshalPlain(v any) (string, error) {
	var b strings.Builder
	err := writeJSON(&b, v, "")
	return strings.TrimRight(b.String(), "\n"), err
}

// escaped writes what a terminal could obey as JSON escapes: the text stays
// JSON, and means the same. Such a character stands only within strings, beside
// the line breaks between them.
func escaped(text string) string {
	if !strings.ContainsFunc(text, unruly) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !unruly(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// unruly reports whether a terminal may do something else than show r.
func unruly(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf)) }
