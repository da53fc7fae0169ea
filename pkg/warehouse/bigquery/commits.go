package bigquery

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	rest "cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// commitLog is positions_log. All writers of all processes append to one stream
// of it, each commit at the offset that is its version less the log's base: of two
// commits of the same version, one fails. The table's description names the
// stream and the base; it is changed with the table's etag, so that of two
// changes one fails.
type commitLog struct {
	*client
	stream *stream // nil until open
	last   *commit // the newest that this process knows; nil for none
	dead   string  // name of a stream that takes no rows any more
}

var describedLog = regexp.MustCompile(`Written through ([^\s@]+)@([0-9]+)\.`)

// parseDescription reads the stream's short name and the base; "" for none yet.
func parseDescription(text string) (stream string, base int64) {
	found := describedLog.FindStringSubmatch(text)
	if found == nil {
		return "", 0
	}
	base, err := strconv.ParseInt(found[2], 10, 64)
	if err != nil {
		return "", 0
	}
	return found[1], base
}

// open connects to the log's stream and returns the newest commit. A stream that
// takes no rows any more is replaced.
func (l *commitLog) open(ctx context.Context) (last *commit, err error) {
	current, err := l.table(positionsTable).Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("find log of commits: %w", judged(err))
	}
	short, base := parseDescription(current.Description)
	name := l.streams() + short
	usable := false
	if short != "" {
		if usable, err = l.usable(ctx, name); err != nil {
			return nil, err
		}
	}
	if last, err = l.newest(ctx); err != nil {
		return nil, err
	}
	if usable {
		l.stream, err = l.openStream(ctx, positionsTable, name, last.Version+1-base)
	} else {
		l.stream, err = l.replace(ctx, current.ETag, last.Version+1)
	}
	return last, err
}

// streams is what the names of the log's streams begin with.
func (l *commitLog) streams() string { return l.path(positionsTable) + "/streams/" }

// usable reports whether the stream takes rows. If not, it is finalized, so that
// no process can add another commit to it.
func (l *commitLog) usable(ctx context.Context, name string) (bool, error) {
	if name != l.dead {
		_, err := l.control.GetWriteStream(ctx, &storagepb.GetWriteStreamRequest{Name: name})
		if err == nil {
			return true, nil
		}
		if !gone(err) {
			return false, fmt.Errorf("find stream of %s: %w", positionsTable.name, judged(err))
		}
	}
	_, err := l.finalizeStream(ctx, positionsTable, name)
	return false, err
}

// replace creates a new stream, whose first commit has the version base, and
// writes it into the table's description. It fails if the table's etag changed:
// then another process was faster.
func (l *commitLog) replace(ctx context.Context, etag string, base int64) (*stream, error) {
	created, err := l.createStream(ctx, positionsTable)
	if err != nil {
		return nil, err
	}
	description := fmt.Sprintf("%s Written through %s@%d.", positionsTable.description, strings.TrimPrefix(created.name, l.streams()), base)
	if _, err = l.table(positionsTable).Update(ctx, rest.TableMetadataToUpdate{Description: description}, etag); err != nil {
		created.close()
		return nil, fmt.Errorf("record the stream of %s: %w", positionsTable.name, judged(err))
	}
	return created, nil
}

// append appends a commit, whose version follows the last one. It fails if another
// process has appended that version.
func (l *commitLog) append(ctx context.Context, c *commit) error {
	encoded, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode commit: %w", err)
	}
	row := newEncoder(len(encoded)+len(c.Changes)+32).number(c.Version).text(string(encoded)).instant(time.Now()).textIf(c.Changes != "", c.Changes).row
	if _, err := l.stream.append(ctx, 0, 1, func(int) []byte { return row }); err != nil {
		if gone(err) {
			l.dead = l.stream.name
		}
		return fmt.Errorf("commit: %w", err)
	}
	l.last = c
	return nil
}

func (l *commitLog) close() {
	l.stream.close()
	l.stream = nil
}

// newest is the newest commit: of the table or, if the table was dropped, the
// newest that this process knows. Without any it is recovered.
func (l *commitLog) newest(ctx context.Context) (*commit, error) {
	rows, err := l.read(ctx, "select version, state from "+l.named(positionsTable)+" order by version desc limit 1", nil)
	if err != nil {
		return nil, fmt.Errorf("read newest commit: %w", err)
	}
	if len(rows) == 0 {
		if l.last != nil {
			return l.withoutSums(), nil
		}
		return l.recovered(ctx)
	}
	version := as[int64](rows[0][0])
	if l.last != nil && l.last.Version > version {
		return l.withoutSums(), nil
	}
	return parseCommit(version, as[string](rows[0][1]))
}

// withoutSums is the newest commit that this process knows, of a log that has lost
// it: what it knows of the sums may be lost as well.
func (l *commitLog) withoutSums() *commit {
	c := *l.last
	c.Sums, c.Changes = nil, ""
	return &c
}

// recovered is the commit of a dataset that has none: a new dataset, or one whose
// log was dropped. Rows of raw are in the journal's order, so its last row gives
// the events' position. A lane's row is stored after all that its checkpoint
// counts, so the last one gives the outcomes' position.
func (l *commitLog) recovered(ctx context.Context) (*commit, error) {
	c := &commit{Tables: map[string]streamedTable{}}
	raw, lanes := l.named(rawTable), l.named(lanesTable)
	rows, err := l.read(ctx, `select epoch, seq, max(idx) from `+raw+` where struct(epoch, seq) in (
		select struct(epoch, max(seq)) from `+raw+` group by epoch) group by epoch, seq`, nil)
	if err != nil {
		return nil, fmt.Errorf("recover positions of events: %w", err)
	}
	at := time.Now()
	for _, row := range rows {
		stored := event.Position{Seq: uint64(as[int64](row[1])), Index: uint32(as[int64](row[2]))}
		c = c.advanced(warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: as[string](row[0]), Next: stored.Next()}, at)
	}
	rows, err = l.read(ctx, "select reportEpoch, max(reportSeq), max(reported) as newest from "+lanes+" group by reportEpoch order by newest", nil)
	if err != nil {
		return nil, fmt.Errorf("recover positions of outcomes: %w", err)
	}
	for _, row := range rows {
		c.Outcomes = as[string](row[0])
		c = c.advanced(warehouse.StreamPosition{Stream: warehouse.OutcomesStream, Epoch: c.Outcomes, Next: event.Position{Seq: uint64(as[int64](row[1])) + 1}}, at)
	}
	// Versions go on where the sums say they were: changes of later versions add to them.
	if rows, err = l.read(ctx, "select coalesce(max(version), 0) from "+l.named(sumsTable), nil); err != nil {
		return nil, fmt.Errorf("recover version of sums: %w", err)
	}
	c.Version = as[int64](rows[0][0])
	return c, nil
}
