package journal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// decodeAck reads the server's answer to a publish.
func decodeAck(data []byte) (*jetstream.PubAck, error) {
	var answer struct {
		jetstream.PubAck
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("decode acknowledgement: %w", err)
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	if answer.Stream == "" || answer.Sequence == 0 {
		return nil, errors.New("acknowledgement without a sequence")
	}
	return &answer.PubAck, nil
}
