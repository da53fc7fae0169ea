package config

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// identityKeyFile holds the key with which user ids that are personal data are
// hashed, where the configuration gives none.
const identityKeyFile = "identity.key"

// nodeFile holds the permanent name of the data directory within a cluster.
const nodeFile = "node"

// noKey stands in for the key while a configuration is only checked.
const noKey = "only to check the configuration"

// OpenSanitizer makes the sanitizer of the configuration. Without a configured
// key it uses the one in the data directory, which it makes the first time: the
// same user then stays the same user at the vendors for as long as the
// directory is kept.
func OpenSanitizer(s *Settings) (*sanitizer.Sanitizer, error) {
	key := s.Config.Sanitizer.Key
	if key == "" {
		random := make([]byte, 32)
		_, _ = rand.Read(random) // it never fails
		var err error
		if key, err = keptText(filepath.Join(s.Config.Data, identityKeyFile), hex.EncodeToString(random)); err != nil {
			return nil, fmt.Errorf("identity key: %w", err)
		}
	}
	return newSanitizer(s.Config.Sanitizer, key)
}

// PreviewSanitizer is the gateway's own, if it has run here: ids that are
// personal data then look as they do at the vendors.
func PreviewSanitizer(s *Settings) (*sanitizer.Sanitizer, error) {
	key, err := os.ReadFile(filepath.Join(s.Config.Data, identityKeyFile))
	if err != nil {
		key = []byte(noKey)
	}
	return newSanitizer(s.Config.Sanitizer, strings.TrimSpace(string(key)))
}

// newSanitizer makes a sanitizer; key is used where the configuration has none.
func newSanitizer(c sanitizer.Config, key string) (*sanitizer.Sanitizer, error) {
	c.Key = cmp.Or(c.Key, key)
	clean, err := sanitizer.New(c)
	if err != nil {
		return nil, fmt.Errorf("sanitizer: %w", err)
	}
	return clean, nil
}

// NodeName is the permanent name of the data directory within a cluster. It is made
// the first time.
func (s *Settings) NodeName() (string, error) {
	return keptText(filepath.Join(s.Config.Data, nodeFile), strings.ToLower(rand.Text()[:12]))
}

// keptText reads a file of one line. If there is none, it keeps the fresh text there.
func keptText(path, fresh string) (string, error) {
	text, err := os.ReadFile(path)
	if kept := strings.TrimSpace(string(text)); kept != "" {
		return kept, nil
	}
	// A loss of power may have left the file of an earlier release empty.
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return fresh, writeDurably(path, fresh+"\n")
}

// writeDurably makes a file that is there, whole, whenever the machine loses power
// from then on. Until then the file is as it was.
func writeDurably(path, text string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	parent, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}
