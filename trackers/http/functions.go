package http

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/google/uuid"
)

// jqSHA256 is the function sha256 of programs.
func jqSHA256(input any, _ []any) any {
	text, ok := input.(string)
	if !ok {
		return errors.New("sha256 wants a string")
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// jqUUID is the function uuid of programs.
func jqUUID(input any, _ []any) any {
	text, ok := input.(string)
	if !ok {
		return errors.New("uuid wants a string")
	}
	if known, err := uuid.Parse(text); err == nil && len(text) == len("00000000-0000-0000-0000-000000000000") {
		return strings.ToLower(known.String())
	}
	sum := sha256.Sum256([]byte(text))
	id := uuid.UUID(sum[:16])
	id[6] = id[6]&0x0F | 0x80 // version 8: of one's own making, by RFC 9562
	id[8] = id[8]&0x3F | 0x80
	return id.String()
}
