using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Hosting;

/// <summary>Why a program could not start, as far as both programs know it.</summary>
public static class StartFailures
{
    public static ExitCode CodeOf(Exception failure) => failure switch
    {
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } => ExitCode.PortInUse,
        IOException { InnerException: AddressInUseException } => ExitCode.PortInUse,
        OptionsValidationException or ArgumentException or FormatException => ExitCode.WrongSettings,
        // What the binder throws for "Granary__Kafka__Port=many".
        InvalidOperationException { InnerException: FormatException or ArgumentException } => ExitCode.WrongSettings,
        AggregateException { InnerException: { } inner } => CodeOf(inner),
        _ => ExitCode.Failed,
    };

    /// <summary>Tells people, and gives the code back.</summary>
    public static ExitCode Tell(ExitCode code, Exception failure) =>
        Tell(code, failure is AggregateException { InnerException: { } inner } ? inner.Message : failure.Message);

    /// <summary>Tells people, and gives the code back.</summary>
    public static ExitCode Tell(ExitCode code, string message)
    {
        Console.Error.WriteLine($"granary: {message}");
        return code;
    }
}
