using Granary.Gateway.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Granary.Unit.Gateway.Hosting;

/// <summary>What is logged without settings, and that settings win, whether they are added before the console or after it.</summary>
public sealed class LoggingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Settings_WinOverDefaults(bool settingsFirst)
    {
        using var services = Build(settingsFirst, new() { ["Logging:LogLevel:Orleans"] = "Debug", ["Logging:LogLevel:Granary"] = "Error", ["Logging:LogLevel:Default"] = "Information" });
        var loggers = services.GetRequiredService<ILoggerFactory>();
        Assert.True(loggers.CreateLogger("Orleans.Runtime.Silo").IsEnabled(LogLevel.Debug));
        Assert.False(loggers.CreateLogger("Granary.Grains").IsEnabled(LogLevel.Warning));
        Assert.True(loggers.CreateLogger("Npgsql").IsEnabled(LogLevel.Information));
        Assert.False(loggers.CreateLogger("Polly").IsEnabled(LogLevel.Warning));
    }

    [Fact]
    public void WithoutSettings_OnlyGranaryTellsWhatItDoes()
    {
        using var services = Build(settingsFirst: true, []);
        var loggers = services.GetRequiredService<ILoggerFactory>();
        Assert.True(loggers.CreateLogger("Granary.Grains").IsEnabled(LogLevel.Information));
        Assert.False(loggers.CreateLogger("Orleans.Runtime.Silo").IsEnabled(LogLevel.Warning));
        Assert.False(loggers.CreateLogger("Npgsql").IsEnabled(LogLevel.Information));
        Assert.True(loggers.CreateLogger("Npgsql").IsEnabled(LogLevel.Warning));
    }

    private static ServiceProvider Build(bool settingsFirst, Dictionary<string, string?> settings)
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection(settings).Build().GetSection("Logging");
        return new ServiceCollection().AddLogging(logging =>
        {
            if (settingsFirst)
                logging.AddConfiguration(section);
            logging.AddGranaryConsole();
            if (!settingsFirst)
                logging.AddConfiguration(section);
        }).BuildServiceProvider();
    }
}
