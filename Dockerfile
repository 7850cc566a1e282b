# Granary's images, one target each: silo, gateway, learning-events, learner-progress. `docker compose build` makes all of them.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /granary

# Packages are restored from the project files alone, so that a change of code does not fetch them again.
COPY Directory.Build.props Directory.Packages.props ./
COPY src/Grains.Abstractions/Grains.Abstractions.csproj src/Grains.Abstractions/
COPY src/Grains/Grains.csproj src/Grains/
COPY src/Gateway.Generator/Gateway.Generator.csproj src/Gateway.Generator/
COPY src/Gateway/Gateway.csproj src/Gateway/
COPY src/Silo/Silo.csproj src/Silo/
COPY samples/LearningEvents/LearningEvents.csproj samples/LearningEvents/
COPY samples/LearnerProgress/LearnerProgress.csproj samples/LearnerProgress/
# ReadyToRun: compiled ahead of time, a silo starts in two thirds of the time, and takes partitions over sooner after it.
RUN for project in src/Silo/Silo.csproj src/Gateway/Gateway.csproj samples/LearningEvents/LearningEvents.csproj samples/LearnerProgress/LearnerProgress.csproj; do dotnet restore $project --use-current-runtime -p:PublishReadyToRun=true || exit 1; done

COPY src/ src/
RUN dotnet publish src/Silo/Silo.csproj --configuration Release --no-restore --use-current-runtime --self-contained false -p:PublishReadyToRun=true --output /out/silo \
    && dotnet publish src/Gateway/Gateway.csproj --configuration Release --no-restore --use-current-runtime --self-contained false -p:PublishReadyToRun=true --output /out/gateway
COPY samples/ samples/
RUN dotnet publish samples/LearningEvents/LearningEvents.csproj --configuration Release --no-restore --use-current-runtime --self-contained false -p:PublishReadyToRun=true --output /out/learning-events \
    && dotnet publish samples/LearnerProgress/LearnerProgress.csproj --configuration Release --no-restore --use-current-runtime --self-contained false -p:PublishReadyToRun=true --output /out/learner-progress

# The user `app` comes with the images of .NET; it owns nothing in them. HTTP's port is theirs too, but we say it ourselves.
FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS silo
WORKDIR /app
COPY --from=build /out/silo ./
USER app
ENV Granary__HttpUrl=http://0.0.0.0:8080 Granary__Kafka__Address=0.0.0.0 Granary__SiloPort=11111 Granary__GatewayPort=30000
EXPOSE 8080 9092 11111 30000
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s --retries=3 CMD ["dotnet", "Granary.Silo.dll", "health"]
# Its name, and where others find it, is its host name: the container's id, which a restart of the container keeps. `exec` leaves the
# program as the process that gets the signals.
ENTRYPOINT ["sh", "-c", "export Granary__SiloName=\"${Granary__SiloName:-$HOSTNAME}\" Granary__SiloAddress=\"${Granary__SiloAddress:-$HOSTNAME}\" Granary__Kafka__AdvertisedHost=\"${Granary__Kafka__AdvertisedHost:-$HOSTNAME}\"; exec dotnet Granary.Silo.dll \"$@\"", "silo"]

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS gateway
WORKDIR /app
COPY --from=build /out/gateway ./
USER app
ENV Granary__HttpUrl=http://0.0.0.0:8080 Granary__Kafka__Address=0.0.0.0
EXPOSE 8080 9092
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s --retries=3 CMD ["dotnet", "Granary.Gateway.dll", "health"]
ENTRYPOINT ["dotnet", "Granary.Gateway.dll"]

FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS learning-events
WORKDIR /app
COPY --from=build /out/learning-events ./
USER app
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s --retries=3 CMD ["dotnet", "Granary.LearningEvents.dll", "health"]
ENTRYPOINT ["dotnet", "Granary.LearningEvents.dll"]

# A silo too, though not Granary's: the others find it by its host name.
FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS learner-progress
WORKDIR /app
COPY --from=build /out/learner-progress ./
USER app
EXPOSE 11121
HEALTHCHECK --interval=10s --timeout=8s --start-period=60s --retries=3 CMD ["dotnet", "Granary.LearnerProgress.dll", "health"]
ENTRYPOINT ["sh", "-c", "export Sample__SiloAddress=\"${Sample__SiloAddress:-$HOSTNAME}\"; exec dotnet Granary.LearnerProgress.dll \"$@\"", "learner-progress"]
