using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Granary.Gateway.Hosting;

/// <summary>
/// The programs' subcommand `health`: asks the process that runs with the same settings whether it is ready. For the health checks of
/// containers, whose images hold no other program that could ask.
/// </summary>
public static class HealthQuestion
{
    /// <summary>A little more than the checks may take, so that their answer and not our impatience is printed.</summary>
    private static readonly TimeSpan s_timeout = Health.Timeout + TimeSpan.FromSeconds(1);

    /// <summary>Prints one line.</summary>
    /// <param name="httpUrl">Where the process listens, as its settings say it.</param>
    /// <returns><see cref="ExitCode.Stopped"/> (0) where it is ready, else <see cref="ExitCode.Failed"/> (1).</returns>
    public static async Task<ExitCode> AskAsync(string httpUrl)
    {
        try
        {
            using var client = new HttpClient { Timeout = s_timeout };
            using var response = await client.GetAsync(UrlOf(httpUrl, "/health/ready"));
            var isReady = response.StatusCode == HttpStatusCode.OK;
            Console.WriteLine(isReady ? "ready" : $"not ready: {Describe(await response.Content.ReadAsStringAsync())}");
            return isReady ? ExitCode.Stopped : ExitCode.Failed;
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException or OperationCanceledException or UriFormatException)
        {
            Console.WriteLine($"not ready: {httpUrl} does not answer: {failure.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary>The first address listened on; one that stands for all of this machine's is asked on loopback.</summary>
    internal static Uri UrlOf(string httpUrl, string path)
    {
        var first = httpUrl.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "";
        var url = new UriBuilder(first.Replace("://+", "://0.0.0.0", StringComparison.Ordinal).Replace("://*", "://0.0.0.0", StringComparison.Ordinal));
        if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            url.Host = address.AddressFamily == AddressFamily.InterNetwork ? "127.0.0.1" : "[::1]";
        url.Path = path;
        return url.Uri;
    }

    /// <summary>Which checks failed, and why.</summary>
    private static string Describe(string body)
    {
        try
        {
            using var report = JsonDocument.Parse(body);
            var failed = report.RootElement.GetProperty("checks").EnumerateObject()
                .Where(check => check.Value.GetProperty("status").GetString() != "Healthy")
                .Select(check => $"{check.Name}: {check.Value.GetProperty("message").GetString()}");
            return string.Join("; ", failed).ReplaceLineEndings(" ");
        }
        catch (Exception unexpected) when (unexpected is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return body.ReplaceLineEndings(" ");
        }
    }
}
