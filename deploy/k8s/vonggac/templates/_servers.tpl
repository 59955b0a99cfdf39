{{/* Where NATS and PostgreSQL are. */}}

{{/* All servers by name: a client that loses one goes to another at once, before any endpoint is taken off a Service. */}}
{{- define "vonggac.natsUrl" -}}
{{- if not .Values.nats.enabled -}}
{{- .Values.nats.external.url -}}
{{- else if eq (int .Values.nats.replicas) 1 -}}
tls://{{ include "vonggac.fullname" . }}-nats:4222
{{- else -}}
{{- $name := printf "%s-nats" (include "vonggac.fullname" .) -}}
{{- range $index := until (int .Values.nats.replicas) -}}
{{ if $index }},{{ end }}tls://{{ $name }}-{{ $index }}.{{ $name }}-nodes:4222
{{- end -}}
{{- end -}}
{{- end }}

{{/* "true" where clients speak TLS with NATS. */}}
{{- define "vonggac.natsTls" -}}
{{- if or .Values.nats.enabled (contains "tls://" .Values.nats.external.url) -}}true{{- end -}}
{{- end }}

{{/* Bytes that the streams may take: 80 % of the disk, so that compaction and snapshots have room. Empty: not known. */}}
{{- define "vonggac.storeBytes" -}}
{{- if .Values.nats.enabled -}}
{{- mul (int64 .Values.nats.storage.gibibytes) 858993459 -}}
{{- else if .Values.nats.external.storeBytes -}}
{{- int64 .Values.nats.external.storeBytes -}}
{{- end -}}
{{- end }}

{{- define "vonggac.streamReplicas" -}}
{{- if .Values.nats.enabled }}{{ int .Values.nats.replicas }}{{ else }}{{ int .Values.nats.external.replicas }}{{ end -}}
{{- end }}

{{- define "vonggac.natsMonitoring" -}}
{{- if .Values.nats.enabled -}}
{{ include "vonggac.fullname" . }}-nats-nodes.{{ .Release.Namespace }}.svc:8222
{{- else -}}
{{- .Values.nats.external.monitoring -}}
{{- end -}}
{{- end }}

{{/* "true" where KEDA asks NATS' monitoring. */}}
{{- define "vonggac.kedaInUse" -}}
{{- if or .Values.prober.keda.enabled .Values.forwarder.keda.enabled -}}true{{- end -}}
{{- end }}

{{- define "vonggac.postgresHost" -}}
{{- if .Values.postgresql.cloudnativepg.enabled -}}
{{ include "vonggac.fullname" . }}-postgresql-rw
{{- else -}}
{{- .Values.postgresql.host -}}
{{- end -}}
{{- end }}

{{- define "vonggac.postgresPort" -}}
{{- if .Values.postgresql.cloudnativepg.enabled }}5432{{ else }}{{ int .Values.postgresql.port }}{{ end -}}
{{- end }}

{{/* The Secret with PostgreSQL's CA; empty where the certificate is not checked. */}}
{{- define "vonggac.postgresCaSecret" -}}
{{- if .Values.postgresql.cloudnativepg.enabled -}}
{{ include "vonggac.fullname" . }}-postgresql-ca
{{- else if hasPrefix "verify" .Values.postgresql.sslMode -}}
{{- include "vonggac.secret" (list . "postgresCa") -}}
{{- end -}}
{{- end }}

{{/* The address of a component's database, without a password. */}}
{{- define "vonggac.databaseUrl" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $mode := ternary "verify-full" $root.Values.postgresql.sslMode $root.Values.postgresql.cloudnativepg.enabled -}}
postgresql+psycopg://{{ $component }}@{{ include "vonggac.postgresHost" $root }}:{{ include "vonggac.postgresPort" $root }}/{{ $component }}?sslmode={{ $mode }}
{{- if include "vonggac.postgresCaSecret" $root }}&sslrootcert=/run/vonggac/postgres-ca/ca.crt{{ end -}}
{{- end }}
