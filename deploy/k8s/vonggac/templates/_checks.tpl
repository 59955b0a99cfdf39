{{/* Values that cannot work end the rendering with one sentence that says what to set. */}}

{{- define "vonggac.checks" -}}
{{- include "vonggac.checkServers" . -}}
{{- include "vonggac.checkSecrets" . -}}
{{- include "vonggac.checkScaling" . -}}
{{- include "vonggac.checkConsole" . -}}
{{- include "vonggac.checkServed" . -}}
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
{{- $servers := lookup "apps/v1" "StatefulSet" .Release.Namespace $name -}}
{{- $living := dig "spec" "replicas" 0 $servers -}}
{{- if and $living (ne (int $living) (int $nats.replicas)) -}}
{{- fail (printf "set nats.replicas to %d, as StatefulSet %s has it: changed in place, the servers would delete every stream; docs/operations/nats-servers.md says how to get to %d without loss" (int $living) $name (int $nats.replicas)) -}}
{{- end -}}
{{- $claim := lookup "v1" "PersistentVolumeClaim" .Release.Namespace (printf "data-%s-0" $name) -}}
{{- $wanted := printf "%dGi" (int64 $nats.storage.gibibytes) -}}
{{- $has := dig "spec" "resources" "requests" "storage" "" $claim -}}
{{- if and (hasSuffix "Gi" $has) (lt (int64 (trimSuffix "Gi" $has)) (int64 $nats.storage.gibibytes)) -}}
{{- fail (printf "grow the volumes of NATS first, or set nats.storage.gibibytes to %s: data-%s-0 has %s; docs/operations/nats-servers.md (Grow the disk) has the commands" (trimSuffix "Gi" $has) $name $has) -}}
{{- end -}}
{{- range dig "spec" "volumeClaimTemplates" list $servers -}}
{{- $is := dig "spec" "resources" "requests" "storage" $wanted . -}}
{{- if ne $is $wanted -}}
{{- fail (printf "delete StatefulSet %s with --cascade=orphan before this upgrade, or set nats.storage.gibibytes to what it has (%s): Kubernetes does not change the size in place; docs/operations/nats-servers.md (Grow the disk) has the commands" $name $is) -}}
{{- end -}}
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
{{- /* Beside OBSERVATIONS: DEAD_LETTERS (256 MiB), NOTICES, DEMANDS and scans (64 MiB each), and room for what has no bound (128 MiB). */ -}}
{{- if and $store (gt (add (int64 $nats.observationsMaxBytes) 675282944) (int64 $store)) -}}
{{- fail (printf "set nats.observationsMaxBytes to at most %d, or give NATS more room (nats.storage.gibibytes, nats.external.storeBytes): the streams may take %s bytes" (max 0 (sub (int64 $store) 675282944)) $store) -}}
{{- end -}}
{{- $figures := .Files.Get "files/figures.yaml" | fromYaml -}}
{{- $needed := mul (int64 $nats.cameras) (int64 $figures.cameraMinuteBytes) 60 (int64 $nats.absenceHours) -}}
{{- if lt (int64 $nats.observationsMaxBytes) $needed -}}
{{- fail (printf "set nats.observationsMaxBytes to at least %d, or nats.absenceHours lower: so many bytes are the facts of %d cameras (nats.cameras) while reporting is away for %d hours" $needed (int64 $nats.cameras) (int64 $nats.absenceHours)) -}}
{{- end -}}
{{- end }}

{{- define "vonggac.checkSecrets" -}}
{{- $keys := list "workersPublic" "workersPrivate" "natsSetup" "natsInventory" "natsProber" "natsForwarder" "natsReporting" "postgresInventory" "postgresReporting" -}}
{{- if not .Values.auth.jwksUrl }}{{ $keys = append $keys "jwks" }}{{ end -}}
{{- if .Values.nats.enabled }}{{ $keys = concat $keys (list "natsServer" "natsTls") }}{{ end -}}
{{- if include "vonggac.natsTls" . }}{{ $keys = append $keys "natsCa" }}{{ end -}}
{{- if .Values.console.enabled }}{{ $keys = append $keys "natsConsole" }}{{ end -}}
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
{{- range $component := include "vonggac.scaled" . | fromJsonArray -}}
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
{{- range $way := list "keda" "autoscaling" -}}
{{- $scaling := index $.Values.forwarder $way -}}
{{- if and $scaling.enabled (le (int $.Values.forwarder.maxCameras) (int $scaling.camerasPerReplica)) -}}
{{- fail (printf "set forwarder.%s.camerasPerReplica below forwarder.maxCameras: pods must have room for the cameras of one that dies" $way) -}}
{{- end -}}
{{- end -}}
{{- include "vonggac.checkProbers" . -}}
{{- include "vonggac.checkCpuScaling" . -}}
{{- if and (include "vonggac.kedaInUse" .) (not (include "vonggac.natsMonitoring" .)) -}}
{{- fail "set nats.external.monitoring to host:port of your NATS' monitoring: KEDA reads the queue there" -}}
{{- end -}}
{{- end }}

{{/* The components that an autoscaler may scale. */}}
{{- define "vonggac.scaled" -}}
{{- concat (list "inventory" "prober" "forwarder" "reporting") (ternary (list "console") list .Values.console.enabled) | toJson -}}
{{- end }}

{{/* A setting of the prober as a number; the default where it is none, which the prober refuses by itself. */}}
{{- define "vonggac.proberNumber" -}}
{{- $given := dig (index . 1) (index . 2) (index . 0).Values.prober.settings | toString | float64 -}}
{{- if gt $given 0.0 }}{{ $given }}{{ else }}{{ index . 2 }}{{ end -}}
{{- end }}

{{/* Cameras whose deliveries a prober reads back in the interval: so many at a time, so long each. */}}
{{- define "vonggac.provenAtMost" -}}
{{- $figures := .Files.Get "files/figures.yaml" | fromYaml -}}
{{- $places := include "vonggac.proberNumber" (list . "MAX_CONCURRENT_VERIFICATIONS" $figures.verifications) | float64 -}}
{{- $interval := include "vonggac.proberNumber" (list . "VERIFY_INTERVAL_S" $figures.verifyIntervalSeconds) | float64 -}}
{{- divf (mulf $places $interval 1000.0) (float64 $figures.proofMilliseconds) | floor | int -}}
{{- end }}

{{/* Cameras that a prober probes with a picture in the interval, in the places that silent ones cannot take. */}}
{{- define "vonggac.probedAtMost" -}}
{{- $figures := .Files.Get "files/figures.yaml" | fromYaml -}}
{{- $places := include "vonggac.proberNumber" (list . "MAX_CONCURRENT_PROBES" $figures.probes) | float64 -}}
{{- $silent := include "vonggac.proberNumber" (list . "SILENT_SHARE" (divf (float64 $figures.silentPercent) 100.0)) | float64 -}}
{{- $interval := include "vonggac.proberNumber" (list . "DEEP_INTERVAL_S" $figures.deepIntervalSeconds) | float64 -}}
{{- $window := include "vonggac.proberNumber" (list . "MEASURE_WINDOW_S" (divf (float64 $figures.windowMilliseconds) 1000.0)) | float64 -}}
{{- divf (mulf $places (subf 1.0 $silent) $interval) $window | floor | int -}}
{{- end }}

{{- define "vonggac.checkProbers" -}}
{{- $prober := .Values.prober -}}
{{- $proven := int (include "vonggac.provenAtMost" .) -}}
{{- $probed := int (include "vonggac.probedAtMost" .) -}}
{{- if and $prober.keda.enabled (gt (int $prober.keda.provenPerReplica) $proven) -}}
{{- fail (printf "set prober.keda.provenPerReplica to at most %d: that many cameras' deliveries a pod reads back in its interval (MAX_CONCURRENT_VERIFICATIONS at a time, 2 s each)" $proven) -}}
{{- else if and $prober.keda.enabled (gt (int $prober.keda.camerasPerReplica) $probed) -}}
{{- fail (printf "set prober.keda.camerasPerReplica to at most %d: that many cameras a pod probes with a picture in its interval (MAX_CONCURRENT_PROBES less SILENT_SHARE at a time, MEASURE_WINDOW_S each)" $probed) -}}
{{- end -}}
{{- $figures := .Files.Get "files/figures.yaml" | fromYaml -}}
{{- $places := include "vonggac.proberNumber" (list . "MAX_CONCURRENT_VERIFICATIONS" $figures.verifications) | float64 | int -}}
{{- if and $prober.autoscaling.enabled (ge (int $prober.autoscaling.readBacksPerReplica) $places) -}}
{{- fail (printf "set prober.autoscaling.readBacksPerReplica below %d (the setting MAX_CONCURRENT_VERIFICATIONS): with so many a pod is full, and no pod shows more" $places) -}}
{{- end -}}
{{- end }}

{{/* By CPU alone a worker is scaled only where a full one takes more than what is aimed at. */}}
{{- define "vonggac.checkCpuScaling" -}}
{{- $figures := .Files.Get "files/figures.yaml" | fromYaml -}}
{{- $proven := int (include "vonggac.provenAtMost" .) -}}
{{- $fullForwarder := div (mul (int .Values.forwarder.maxCameras) (int $figures.relayMicroseconds)) 1000 -}}
{{- $fullProber := div (mul $proven (int $figures.probedMicroseconds)) 1000 -}}
{{- $full := dict "forwarder" (list $fullForwarder (printf "%d cameras (forwarder.maxCameras)" (int .Values.forwarder.maxCameras))) "prober" (list $fullProber (printf "%d cameras, all that it can read back," $proven)) -}}
{{- range $component := include "vonggac.scaled" . | fromJsonArray -}}
{{- $values := index $.Values $component -}}
{{- if $values.autoscaling.enabled -}}
{{- $request := dig "requests" "cpu" "" $values.resources -}}
{{- if not (toString $request) -}}
{{- fail (printf "set %s.resources.requests.cpu: its autoscaler aims at a part of that" $component) -}}
{{- end -}}
{{- $request = int (include "vonggac.millicores" $request) -}}
{{- $aim := div (mul $request (int $values.autoscaling.cpuPercent)) 100 -}}
{{- with index $full $component -}}
{{- if and (not (include "vonggac.customMetrics" $)) (le (int (index . 0)) (int $aim)) -}}
{{- fail (printf "set %[1]s.keda.enabled in place of %[1]s.autoscaling.enabled, or install an adapter of custom metrics (with `helm template` pass --api-versions custom.metrics.k8s.io/v1beta1): by CPU alone it never acts, since a %[1]s full with %[2]s takes %[3]dm and it aims at %[4]dm (%[5]d %% of the %[6]dm requested)" $component (index . 1) (int (index . 0)) (int $aim) (int $values.autoscaling.cpuPercent) $request) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The console does not start without a provider, and sends no cookie outside TLS: said here, before a pod says it. */}}
{{- define "vonggac.checkConsole" -}}
{{- $console := .Values.console -}}
{{- if and .Values.hosts.console (not $console.enabled) -}}
{{- fail "set console.enabled to true for hosts.console: nothing answers there" -}}
{{- else if $console.enabled -}}
{{- if not $console.oidc.issuer -}}
{{- fail "set console.oidc.issuer to the address of your OIDC provider, and console.oidc.clientId as it is registered there: without a provider nobody signs in, and the console does not start" -}}
{{- else if not .Values.auth.jwksUrl -}}
{{- fail "set auth.jwksUrl to the public keys of the provider of console.oidc.issuer: the console passes its access tokens on, and the services refuse them otherwise" -}}
{{- else if not (or .Values.hosts.console $console.baseUrl) -}}
{{- fail "set hosts.console to the name that browsers open, or console.baseUrl to the address at which a proxy of yours ends TLS" -}}
{{- else if and .Values.ingress.enabled .Values.hosts.console (not .Values.ingress.tlsSecret) (not $console.baseUrl) -}}
{{- fail "set ingress.tlsSecret to the certificate of hosts.console, or console.baseUrl to the address at which a proxy of yours ends TLS: the console works inside TLS alone" -}}
{{- end -}}
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
{{- range .Values.media.allowedNetworks }}{{ include "vonggac.checkNetwork" (list "media.allowedNetworks" .) }}{{ end -}}
{{- range .Values.trustedProxies }}{{ if contains "/" . }}{{ include "vonggac.checkNetwork" (list "trustedProxies" .) }}{{ end }}{{ end -}}
{{- if and .Values.backup.restoreFrom .Values.restoring (not .Values.backup.enabled) -}}
{{- fail "set backup.enabled to true for backup.restoreFrom: the volume of the backups is that of backup.storage" -}}
{{- end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- if not .Values.networkPolicy.egress.dns -}}
{{- fail "set networkPolicy.egress.dns to who resolves names: nothing is found without" -}}
{{- end -}}
{{- if and .Values.postgresql.host (not .Values.networkPolicy.egress.postgresql) -}}
{{- fail "set networkPolicy.egress.postgresql to the network of your PostgreSQL" -}}
{{- else if and .Values.nats.external.url (not .Values.networkPolicy.egress.nats) -}}
{{- fail "set networkPolicy.egress.nats to the network of your NATS" -}}
{{- else if and .Values.auth.jwksUrl (not .Values.networkPolicy.egress.oidc) -}}
{{- fail "set networkPolicy.egress.oidc to the network of your OIDC provider" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* (value, network). The services refuse to start with a host's address in place of a network's. */}}
{{- define "vonggac.checkNetwork" -}}
{{- $value := index . 0 -}}
{{- $network := index . 1 -}}
{{- $parts := splitList "/" $network -}}
{{- if contains ":" $network -}}
{{- $group := "[0-9a-f]{1,4}" -}}
{{- $whole := printf "^(%[1]s:){7}%[1]s$" $group -}}
{{- $short := printf "^(%[1]s(:%[1]s)*)?::(%[1]s(:%[1]s)*)?$" $group -}}
{{- $address := first $parts -}}
{{- if not (or (regexMatch $whole $address) (and (regexMatch $short $address) (lt (len (splitList ":" $address)) 9))) -}}
{{- fail (printf "set %s to networks such as 10.20.0.0/16 or 2001:db8::/32: %s is none" $value $network) -}}
{{- end -}}
{{- else if not (contains "." $network) -}}
{{- fail (printf "set %s to networks such as 10.20.0.0/16 or 2001:db8::/32: %s is none" $value $network) -}}
{{- else -}}
{{- $address := 0 -}}
{{- range splitList "." (first $parts) }}{{ $address = add (mul $address 256) (atoi .) }}{{ end -}}
{{- $size := 1 -}}
{{- range until (int (sub 32 (atoi (last $parts)))) }}{{ $size = mul $size 2 }}{{ end -}}
{{- $begin := sub $address (mod $address $size) -}}
{{- if ne $begin $address -}}
{{- $octets := list (div $begin 16777216) (mod (div $begin 65536) 256) (mod (div $begin 256) 256) (mod $begin 256) -}}
{{- fail (printf "set %s to %s/%s in place of %s: a network begins there" $value (join "." $octets) (last $parts) $network) -}}
{{- end -}}
{{- end -}}
{{- end }}
