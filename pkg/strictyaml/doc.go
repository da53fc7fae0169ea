// Package strictyaml reads configuration files and reports every mistake with its
// file and line: an unknown key (with the most similar known one), a repeated key, a
// value of the wrong kind. It returns all unknown keys of a file at once. Errors quote
// keys, never values, so that no secret of a configuration is in an error.
//
// Values may refer to the environment and to files, ${NAME} and ${file:/path},
// where the caller asks for it. The replacement happens within the parsed value, so
// that the content of a variable cannot change the file's structure.
package strictyaml
