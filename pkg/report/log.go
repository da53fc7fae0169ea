package report

import (
	"context"
	"log/slog"
	"strconv"
)

// logSink writes each report as one structured line.
type logSink struct{ logger *slog.Logger }

func (s logSink) deliver(ctx context.Context, r report) string {
	if r.Summary != nil {
		s.logger.LogAttrs(ctx, slog.LevelError, "incidents summary", summaryAttrs(r)...)
	} else {
		s.logger.LogAttrs(ctx, slog.LevelError, "incident", incidentAttrs(r)...)
	}
	return "logged"
}

func (s logSink) close() {}

func groupAttrs(r report) []slog.Attr {
	attrs := []slog.Attr{slog.String("component", r.Component), slog.String("class", r.Class)}
	if r.Tracker != "" {
		attrs = append(attrs, slog.String("tracker", r.Tracker))
	}
	return attrs
}

func incidentAttrs(r report) []slog.Attr {
	attrs := append(groupAttrs(r), slog.String("err", r.Message), slog.Time("at", r.Time))
	if r.Attempt > 0 {
		attrs = append(attrs, slog.Int("attempt", r.Attempt))
	}
	if len(r.Receipts) > 0 {
		attrs = append(attrs, slog.Any("receipts", r.Receipts))
	}
	if r.Exchange {
		attrs = append(attrs,
			slog.Group("request", slog.String("method", r.Method), slog.String("url", r.URL), slog.Any("headers", r.RequestHeaders), slog.String("body", r.RequestBody)),
			slog.Group("response", slog.Int("status", r.Status), slog.Any("headers", r.ResponseHeaders), slog.String("body", r.ResponseBody)))
	}
	stack := make([]string, 0, len(r.Stack))
	for _, f := range r.Stack {
		stack = append(stack, f.Function+" "+f.File+":"+strconv.Itoa(f.Line))
	}
	return append(attrs, slog.Any("stack", stack))
}

func summaryAttrs(r report) []slog.Attr {
	s := r.Summary
	return append(groupAttrs(r),
		slog.Uint64("count", s.count), slog.Uint64("shown", s.shown),
		slog.String("first_receipt", s.firstReceipt), slog.String("last_receipt", s.lastReceipt),
		slog.Time("first_at", s.firstTime), slog.Time("last_at", s.lastTime))
}
