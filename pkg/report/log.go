package report

import (
	"context"
	"log/slog"
	"strconv"
)

// logSink writes each payload as one structured line.
type logSink struct{ logger *slog.Logger }

func (s logSink) deliver(ctx context.Context, p *scrubbed) string {
	title, attrs := "incident", incidentAttrs
	if p.summary != nil {
		title, attrs = "incidents summary", summaryAttrs
	}
	group := []slog.Attr{slog.String("component", p.group.component), slog.String("class", p.group.class)}
	if p.group.tracker != "" {
		group = append(group, slog.String("tracker", p.group.tracker))
	}
	s.logger.LogAttrs(ctx, slog.LevelError, title, append(group, attrs(p)...)...)
	return "logged"
}

func (s logSink) close() {}

func incidentAttrs(p *scrubbed) []slog.Attr {
	attrs := []slog.Attr{slog.String("err", p.message), slog.Time("at", p.time)}
	if p.attempt > 0 {
		attrs = append(attrs, slog.Int("attempt", p.attempt))
	}
	if len(p.receipts) > 0 {
		attrs = append(attrs, slog.Any("receipts", p.receipts))
	}
	if p.roundTrip() {
		attrs = append(attrs,
			slog.Group("request", slog.String("method", p.method), slog.String("url", p.url), slog.Any("headers", p.request.headers), slog.String("body", p.request.body)),
			slog.Group("response", slog.Int("status", p.status), slog.Any("headers", p.response.headers), slog.String("body", p.response.body)))
	}
	stack := make([]string, 0, len(p.stack))
	for _, f := range p.stack {
		stack = append(stack, f.Function+" "+f.File+":"+strconv.Itoa(f.Line))
	}
	return append(attrs, slog.Any("stack", stack))
}

func summaryAttrs(p *scrubbed) []slog.Attr {
	s := p.summary
	return []slog.Attr{
		slog.Uint64("count", s.count), slog.Uint64("shown", s.shown),
		slog.String("first_receipt", s.first.receipt), slog.String("last_receipt", s.last.receipt),
		slog.Time("first_at", s.first.time), slog.Time("last_at", s.last.time),
	}
}
