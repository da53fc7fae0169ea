package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The names in JetStream. They are part of the format on disk.
const (
	eventsStream  = "SPARROW_EVENTS"
	eventsSubject = "sparrow.events"

	outcomesStream = "SPARROW_OUTCOMES"
	outcomesPrefix = "sparrow.outcomes."

	pinsStream = "SPARROW_HOLDS"
	pinsPrefix = "sparrow.holds."
	ackSubject = "sparrow.mark.events"

	kvStream = "SPARROW_NOTES" // in a cluster only
	kvPrefix = "sparrow.notes."

	epochKey = "sparrow_epoch"
)

const (
	// duplicateWindow is how long the server recognises a repeated message. It
	// is well above the time for which an append is repeated.
	duplicateWindow = 2 * time.Minute
	smallBytes      = 16 << 20
	adminLimit      = 30 * time.Second
)

// streamConfigs returns the streams as they should be.
func streamConfigs(cfg Config) []jetstream.StreamConfig {
	log := jetstream.StreamConfig{
		Retention:  jetstream.LimitsPolicy,
		Discard:    jetstream.DiscardNew, // never delete to free space
		Storage:    jetstream.FileStorage,
		Replicas:   cfg.Replicas,
		Duplicates: duplicateWindow,
		DenyDelete: true, // a sequence without a message is damage, so none may be made
		// Readers use direct gets.
		AllowDirect: true,
	}
	events, outcomes, pins := log, log, log
	events.Name, events.Subjects, events.MaxBytes = eventsStream, []string{eventsSubject}, cfg.eventsBytes()
	outcomes.Name, outcomes.Subjects, outcomes.MaxBytes = outcomesStream, []string{outcomesPrefix + "*"}, cfg.outcomesBytes()
	pins.Name, pins.Subjects, pins.MaxBytes = pinsStream, []string{pinsPrefix + ">", ackSubject}, smallBytes
	pins.MaxMsgsPerSubject, pins.DenyDelete = 1, false
	pins.Discard = jetstream.DiscardOld // of a subject; its bytes never matter
	if cfg.URL == "" {
		return []jetstream.StreamConfig{events, outcomes, pins}
	}
	kv := pins
	kv.Name, kv.Subjects = kvStream, []string{kvPrefix + ">"}
	return []jetstream.StreamConfig{events, outcomes, pins, kv}
}

// ensureStreams makes what is missing, adapts what is there, and returns the
// epoch of each stream.
func ensureStreams(ctx context.Context, js jetstream.JetStream, cfg Config) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, adminLimit)
	defer cancel()
	epochs := make(map[string]string)
	for _, want := range streamConfigs(cfg) {
		epoch, err := ensureStream(ctx, js, want)
		if err != nil {
			return nil, fmt.Errorf("prepare stream %s: %w", want.Name, err)
		}
		epochs[want.Name] = epoch
	}
	return epochs, nil
}

func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (string, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		want.Metadata = map[string]string{epochKey: newEpoch()}
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // by another process, just now
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return "", err
	}
	have := stream.CachedInfo().Config
	epoch := have.Metadata[epochKey]
	if epoch == "" {
		return "", fmt.Errorf("it has no %s: it is not Sparrow's", epochKey)
	}
	if have.MaxBytes == want.MaxBytes && have.Replicas == want.Replicas && have.AllowDirect {
		return epoch, nil
	}
	want.Metadata = maps.Clone(have.Metadata)
	_, err = js.UpdateStream(ctx, want)
	return epoch, err
}

// newEpoch returns a name for a new stream. It is random, so that two journals never
// give out the same receipt.
func newEpoch() string { return strings.ToLower(rand.Text()[:8]) }
