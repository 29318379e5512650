-- No silo brings this yet: typed and empty.
{{ unify([]) }}
