using System.Net.Sockets;
using Granary.Gateway.Hosting;
using Granary.Gateway.Kafka;
using Granary.Silo.Postgres;
using Microsoft.AspNetCore.Connections;
using Npgsql;

namespace Granary.Silo.Hosting;

/// <summary>Why a silo did not start or ended by itself: its exit code, and one line for a person.</summary>
internal readonly record struct StartFailure(ExitCode Code, string Message)
{
    public static StartFailure Of(Exception failure, SiloSettings settings) => failure switch
    {
        StartException start => new(start.Code, start.Message),
        PostgresStartException => new(ExitCode.NoEmbeddedPostgres, failure.Message),
        NpgsqlException => new(ExitCode.NoPostgres, $"PostgreSQL failed: {failure.Message}"),
        ListenException { IsPortInUse: true } => new(ExitCode.PortInUse, $"Granary__Kafka__Port: {failure.Message}"),
        ListenException => new(ExitCode.WrongSettings, $"Granary__Kafka__Address: {failure.Message}"),
        IOException { InnerException: AddressInUseException } => new(ExitCode.PortInUse, $"Granary__HttpUrl is {settings.HttpUrl}: its port is in use."),
        AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => new(
            ExitCode.PortInUse, $"Granary__SiloPort ({settings.SiloPort}) or Granary__GatewayPort ({settings.GatewayPort}) is in use; 0 takes a free one."),
        Microsoft.Extensions.Options.OptionsValidationException or ArgumentException or FormatException => new(ExitCode.WrongSettings, failure.Message),
        _ when failure.InnerException is { } inner && Of(inner, settings) is { Code: not ExitCode.Failed } cause => cause,
        _ => new(ExitCode.Failed, failure.Message),
    };
}
