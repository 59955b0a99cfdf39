{{/* Values that cannot work end the rendering with one sentence that says what to set. */}}

{{- define "vonggac.checks" -}}
{{- include "vonggac.checkServers" . -}}
{{- include "vonggac.checkSecrets" . -}}
{{- include "vonggac.checkScaling" . -}}
{{- include "vonggac.checkAccess" . -}}
{{- end }}

{{- define "vonggac.checkServers" -}}
{{- $nats := .Values.nats -}}
{{- $postgres := .Values.postgresql -}}
{{- if and $nats.enabled $nats.external.url -}}
{{- fail "set nats.enabled to false to use nats.external.url, or leave that empty for the bundled servers" -}}
{{- else if not (or $nats.enabled $nats.external.url) -}}
{{- fail "set nats.external.url, or nats.enabled to true" -}}
{{- end -}}
{{- if $nats.enabled -}}
{{- $name := printf "%s-nats" (include "vonggac.fullname" .) -}}
{{- $living := dig "spec" "replicas" 0 (lookup "apps/v1" "StatefulSet" .Release.Namespace $name) -}}
{{- if and $living (ne (int $living) (int $nats.replicas)) -}}
{{- fail (printf "set nats.replicas to %d, as StatefulSet %s has it: changed in place, the servers would delete every stream; docs/operations/nats-servers.md says how to get to %d without loss" (int $living) $name (int $nats.replicas)) -}}
{{- end -}}
{{- end -}}
{{- if and $postgres.cloudnativepg.enabled $postgres.host -}}
{{- fail "set either postgresql.host or postgresql.cloudnativepg.enabled, not both" -}}
{{- else if not (or $postgres.cloudnativepg.enabled $postgres.host) -}}
{{- fail "set postgresql.host to your PostgreSQL server, or postgresql.cloudnativepg.enabled to true" -}}
{{- end -}}
{{- if and $postgres.cloudnativepg.enabled (not (.Capabilities.APIVersions.Has "postgresql.cnpg.io/v1")) -}}
{{- fail "postgresql.cloudnativepg.enabled needs the CloudNativePG operator: install it (with `helm template` pass --api-versions postgresql.cnpg.io/v1), or set postgresql.host" -}}
{{- end -}}
{{- $store := include "vonggac.storeBytes" . -}}
{{- /* Beside OBSERVATIONS: DEAD_LETTERS (256 MiB), scans (64 MiB), and room for what has no bound (256 MiB). */ -}}
{{- if and $store (gt (add (int64 $nats.observationsMaxBytes) 603979776) (int64 $store)) -}}
{{- fail (printf "set nats.observationsMaxBytes to at most %d, or give NATS more room (nats.storage.gibibytes, nats.external.storeBytes): the streams may take %s bytes" (max 0 (sub (int64 $store) 603979776)) $store) -}}
{{- end -}}
{{- end }}

{{- define "vonggac.checkSecrets" -}}
{{- $keys := list "workersPublic" "workersPrivate" "natsSetup" "natsInventory" "natsProber" "natsForwarder" "natsReporting" "postgresInventory" "postgresReporting" -}}
{{- if not .Values.auth.jwksUrl }}{{ $keys = append $keys "jwks" }}{{ end -}}
{{- if .Values.nats.enabled }}{{ $keys = concat $keys (list "natsServer" "natsTls") }}{{ end -}}
{{- if include "vonggac.natsTls" . }}{{ $keys = append $keys "natsCa" }}{{ end -}}
{{- if and .Values.postgresql.host (hasPrefix "verify" .Values.postgresql.sslMode) }}{{ $keys = append $keys "postgresCa" }}{{ end -}}
{{- $missing := list -}}
{{- range $keys -}}
{{- if not (include "vonggac.secret" (list $ .)) }}{{ $missing = append $missing (printf "secrets.%s" .) }}{{ end -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "set secrets.prefix, or each of these to the name of an existing Secret: %s" (join ", " $missing)) -}}
{{- end -}}
{{- end }}

{{- define "vonggac.checkScaling" -}}
{{- range $component := list "inventory" "prober" "forwarder" "reporting" -}}
{{- $values := index $.Values $component -}}
{{- $drain := 30 -}}
{{- if hasKey $values "keda" -}}
{{- $drain = add 35 (int $values.stopWithinSeconds) -}}
{{- if and $values.autoscaling.enabled $values.keda.enabled -}}
{{- fail (printf "set only one of %s.autoscaling.enabled and %s.keda.enabled: two autoscalers of one Deployment work against each other" $component $component) -}}
{{- end -}}
{{- if gt (int $values.keda.minReplicas) (int $values.keda.maxReplicas) -}}
{{- fail (printf "set %s.keda.maxReplicas to at least %s.keda.minReplicas" $component $component) -}}
{{- end -}}
{{- end -}}
{{- if gt (int $values.autoscaling.minReplicas) (int $values.autoscaling.maxReplicas) -}}
{{- fail (printf "set %s.autoscaling.maxReplicas to at least %s.autoscaling.minReplicas" $component $component) -}}
{{- end -}}
{{- if le (int $values.terminationGracePeriodSeconds) (int $drain) -}}
{{- fail (printf "set %s.terminationGracePeriodSeconds to more than %d: an orderly stop may take so long" $component (int $drain)) -}}
{{- end -}}
{{- end -}}
{{- if le (int .Values.forwarder.maxCameras) (int .Values.forwarder.keda.camerasPerReplica) -}}
{{- if .Values.forwarder.keda.enabled -}}
{{- fail "set forwarder.keda.camerasPerReplica below forwarder.maxCameras: pods must have room for the cameras of one that dies" -}}
{{- end -}}
{{- end -}}
{{- if and (include "vonggac.kedaInUse" .) (not (include "vonggac.natsMonitoring" .)) -}}
{{- fail "set nats.external.monitoring to host:port of your NATS' monitoring: KEDA reads the queue there" -}}
{{- end -}}
{{- end }}

{{- define "vonggac.checkAccess" -}}
{{- $host := "" -}}
{{- range .Values.hosts }}{{ $host = default $host . }}{{ end -}}
{{- if and .Values.ingress.enabled .Values.gateway.enabled -}}
{{- fail "set only one of ingress.enabled and gateway.enabled" -}}
{{- else if and (or .Values.ingress.enabled .Values.gateway.enabled) (not $host) -}}
{{- fail "set a host (hosts.inventory, hosts.reporting, …) for the Ingress or the Gateway" -}}
{{- else if and $host (not (or .Values.ingress.enabled .Values.gateway.enabled)) -}}
{{- fail "set ingress.enabled or gateway.enabled to true: hosts are not reached without" -}}
{{- else if and .Values.gateway.enabled (not .Values.gateway.name) -}}
{{- fail "set gateway.name to the Gateway that the hosts are routed from" -}}
{{- end -}}
{{- if not .Values.media.allowedNetworks -}}
{{- fail "set media.allowedNetworks to the networks of your cameras and centres: the services connect to no other address" -}}
{{- end -}}
{{- range .Values.media.allowedNetworks }}{{ include "vonggac.checkNetwork" . }}{{ end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- if and .Values.postgresql.host (not .Values.networkPolicy.egress.postgresql) -}}
{{- fail "set networkPolicy.egress.postgresql to the network of your PostgreSQL" -}}
{{- else if and .Values.nats.external.url (not .Values.networkPolicy.egress.nats) -}}
{{- fail "set networkPolicy.egress.nats to the network of your NATS" -}}
{{- else if and .Values.auth.jwksUrl (not .Values.networkPolicy.egress.oidc) -}}
{{- fail "set networkPolicy.egress.oidc to the network of your OIDC provider" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* One of `media.allowedNetworks`. The services refuse to start with a host's address in place of a network's. */}}
{{- define "vonggac.checkNetwork" -}}
{{- $parts := splitList "/" . -}}
{{- if contains ":" . -}}
{{- $group := "[0-9a-f]{1,4}" -}}
{{- $whole := printf "^(%[1]s:){7}%[1]s$" $group -}}
{{- $short := printf "^(%[1]s(:%[1]s)*)?::(%[1]s(:%[1]s)*)?$" $group -}}
{{- $address := first $parts -}}
{{- if not (or (regexMatch $whole $address) (and (regexMatch $short $address) (lt (len (splitList ":" $address)) 9))) -}}
{{- fail (printf "set media.allowedNetworks to networks such as 10.20.0.0/16 or 2001:db8::/32: %s is none" .) -}}
{{- end -}}
{{- else if not (contains "." .) -}}
{{- fail (printf "set media.allowedNetworks to networks such as 10.20.0.0/16 or 2001:db8::/32: %s is none" .) -}}
{{- else -}}
{{- $address := 0 -}}
{{- range splitList "." (first $parts) }}{{ $address = add (mul $address 256) (atoi .) }}{{ end -}}
{{- $size := 1 -}}
{{- range until (int (sub 32 (atoi (last $parts)))) }}{{ $size = mul $size 2 }}{{ end -}}
{{- $begin := sub $address (mod $address $size) -}}
{{- if ne $begin $address -}}
{{- $octets := list (div $begin 16777216) (mod (div $begin 65536) 256) (mod (div $begin 256) 256) (mod $begin 256) -}}
{{- fail (printf "set media.allowedNetworks to %s/%s in place of %s: a network begins there" (join "." $octets) (last $parts) .) -}}
{{- end -}}
{{- end -}}
{{- end }}
