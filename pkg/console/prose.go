package console

import (
	"html/template"
	"strings"
)

// prose renders the little Markdown that descriptions use, everything escaped:
// blank lines part paragraphs, "- " starts an item of a list, `code` is code
// and **bold** is bold.
func prose(text string) template.HTML {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		block = strings.TrimSpace(block)
		switch {
		case block == "":
		case strings.HasPrefix(block, "- "):
			b.WriteString("<ul>")
			for item := range strings.SplitSeq(strings.TrimPrefix(block, "- "), "\n- ") {
				b.WriteString("<li>" + inline(item) + "</li>")
			}
			b.WriteString("</ul>")
		default:
			b.WriteString("<p>" + inline(block) + "</p>")
		}
	}
	return template.HTML(b.String()) //nolint:gosec // inline escapes every character of text
}

// inline renders code and bold: the text between a pair of marks.
func inline(text string) string {
	parts := strings.Split(template.HTMLEscapeString(text), "`")
	for i, part := range parts {
		if i%2 == 1 && i < len(parts)-1 {
			parts[i] = "<code>" + part + "</code>"
			continue
		}
		if i%2 == 1 {
			part = "`" + part // a mark without a partner
		}
		parts[i] = pair(part, "**", "<strong>", "</strong>")
	}
	return strings.Join(parts, "")
}

func pair(text, mark, open, end string) string {
	parts := strings.Split(text, mark)
	for i := 1; i < len(parts)-1; i += 2 {
		parts[i] = open + parts[i] + end
	}
	if len(parts)%2 == 0 {
		parts[len(parts)-1] = mark + parts[len(parts)-1]
	}
	return strings.Join(parts, "")
}
