using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Gateway.Hosting;

public static class Logging
{
    private static readonly LoggerFilterRule[] s_rules =
    [
        Rule("Granary", LogLevel.Information),
        Rule("Orleans", LogLevel.Error),
        Rule("Polly", LogLevel.Error),
        // What a check found is in its answer, and whoever waits for a cluster asks often.
        Rule("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None),
    ];

    /// <summary>One line an event; Orleans and ASP.NET speak up when something is wrong. `Logging__LogLevel__…` says otherwise.</summary>
    public static void AddGranaryConsole(this ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Warning);

        // Of two rules for one category the last one holds: these come first, so that settings win whenever they were added.
        logging.Services.PostConfigure<LoggerFilterOptions>(static options =>
        {
            foreach (var rule in s_rules)
                options.Rules.Insert(0, rule);
        });
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.UseUtcTimestamp = true;
        });
    }

    private static LoggerFilterRule Rule(string category, LogLevel level) => new(providerName: null, category, level, filter: null);
}
