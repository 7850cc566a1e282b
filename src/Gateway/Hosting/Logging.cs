using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Hosting;

public static class Logging
{
    /// <summary>One line an event; Orleans and ASP.NET speak up when something is wrong. `Logging__LogLevel__…` says otherwise.</summary>
    public static void AddGranaryConsole(this ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("Granary", LogLevel.Information);
        logging.AddFilter("Orleans", LogLevel.Error);
        // What a check found is in its answer, and whoever waits for a cluster asks often.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        logging.AddFilter("Polly", LogLevel.Error);
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
    }
}
