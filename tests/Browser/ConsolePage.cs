using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Granary.Browser;

/// <summary>A page of the console. When it is closed, nothing may have gone wrong in it.</summary>
public sealed class ConsolePage : IAsyncDisposable
{
    /// <summary>A tenth of it is enough on a machine that has nothing else to do.</summary>
    internal const float PatienceMs = 20_000;

    private readonly IBrowserContext _context;
    private readonly string _screenshots;
    private readonly ConcurrentQueue<string> _errors = new();
    private volatile bool _mayLoseConnections;

    internal ConsolePage(IBrowserContext context, IPage page, string screenshots)
    {
        (_context, Page, _screenshots) = (context, page, screenshots);
        page.SetDefaultTimeout(PatienceMs);
        page.PageError += (_, error) => _errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !IsForgiven(message.Text))
                _errors.Enqueue($"{message.Text} {message.Location}");
        };
    }

    public IPage Page { get; }

    /// <summary>From now on the server may go away, or be on its way back: the browser notes each connection that it loses or cannot make, and each refusal.</summary>
    public void ForgiveLostConnections() => _mayLoseConnections = true;

    public async Task GoAsync(string address) => await Page.GotoAsync(address);

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    /// <summary>The tiles of a topic that are open, or are not.</summary>
    public ILocator Tiles(string topic, string state) => Page.Locator($".tile[data-key^=\"{topic}/\"][data-state=\"{state}\"]");

    public async Task ScreenshotAsync(string name) =>
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(_screenshots, $"{name}.png") });

    /// <summary>How many pixels of the page lie beyond the right edge of the window.</summary>
    public Task<int> OverflowAsync() => Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");

    /// <summary>
    /// Chromium drops connections, also those of loopback, whenever the machine gets or loses an address: that is not the page's doing, and the
    /// page makes new ones.
    /// </summary>
    private bool IsForgiven(string message) =>
        message.Contains("net::ERR_NETWORK_CHANGED", StringComparison.Ordinal) || (_mayLoseConnections && (message.Contains("net::ERR_", StringComparison.Ordinal) || message.Contains("the server responded with a status of", StringComparison.Ordinal)));

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.Empty(_errors);
    }
}
