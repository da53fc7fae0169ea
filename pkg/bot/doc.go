// Package bot recognises the user agents of machines: crawlers, monitors, link
// previews and automated browsers. Programs that send events for people (curl,
// HTTP libraries, servers) are not bots.
//
// A user agent is a bot's if an entry of the list or one of a few general words
// stands in it. The list is that of the npm package crawler-user-agents (MIT), at
// the version that Version names; scripts/bots.sh copies it. An entry counts only
// where a name begins and ends: "Sonic" is not found in "ViewSonic". Entries that
// also name what people use are left out; see ambiguous.
//
// Version is part of the reason of an event that is filtered, so that sums of
// different versions can be told apart.
package bot
