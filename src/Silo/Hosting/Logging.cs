namespace Granary.Silo.Hosting;

internal static class Logging
{
    /// <summary>One line an event; Orleans and ASP.NET speak up when something is wrong. `Logging__LogLevel__…` says otherwise.</summary>
    public static void AddGranaryConsole(this ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Warning);
        logging.AddFilter("Granary", LogLevel.Information);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
    }
}
