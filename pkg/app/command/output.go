package command

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

// format is how a table is printed.
type format string

// The formats.
const (
	formatTable format = "table"
	formatJSON  format = "json"
	formatCSV   format = "csv"
)

func addFormat(cmd *cobra.Command) *string {
	return cmd.Flags().String("format", string(formatTable), "how to print: table, json (an array of objects) or csv (with a header line)")
}

func parseFormat(s string) (format, error) {
	switch f := format(s); f {
	case formatTable, formatJSON, formatCSV:
		return f, nil
	}
	return "", usagef("--format %q: want table, json or csv", s)
}

// printTable writes a table in the format asked for.
func printTable(w io.Writer, t *admin.Table, f format) error {
	switch f {
	case formatJSON:
		return printJSON(w, t)
	case formatCSV:
		return printCSV(w, t)
	default:
		return printText(w, t)
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
			key, err := marshalPlain(t.Columns[j].Name)
			if err != nil {
				return fmt.Errorf("print column name: %w", err)
			}
			text, err := marshalPlain(value)
			if err != nil {
				return fmt.Errorf("print column %s: %w", t.Columns[j].Name, err)
			}
			b.Write(key)
			b.WriteString(": ")
			b.Write(text)
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
