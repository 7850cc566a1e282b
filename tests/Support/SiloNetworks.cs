using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Granary.Support;

/// <summary>
/// A network namespace for each silo, joined by a bridge to the others and to this process, where single links can be cut: packets are dropped by
/// nftables in both directions, as when a cable is pulled. The bridge has a namespace of its own, out of reach of the machine's firewall: Docker's drops what
/// passes over bridges that are not its own. Linux, root, `ip` and `nft` only.
/// </summary>
public sealed partial class SiloNetworks : IDisposable
{
    private readonly string _name;
    private readonly string _prefix;
    private readonly int _silos;

    private SiloNetworks(int silos)
    {
        _silos = silos;
        _name = $"gr{Random.Shared.Next(0x10000):x4}";
        _prefix = $"10.{Random.Shared.Next(200, 250)}.{Random.Shared.Next(250)}";
    }

    /// <summary>This process's address, and PostgreSQL's.</summary>
    public string OutsideAddress => $"{_prefix}.254";

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Missing { get; } = FindMissing();

    public static SiloNetworks Create(int silos)
    {
        var networks = new SiloNetworks(silos);
        try
        {
            Run("ip", $"netns add {networks.Hub}");
            Run("ip", $"-n {networks.Hub} link add bridge type bridge");
            Run("ip", $"-n {networks.Hub} link set bridge up");
            Run("ip", $"link add {networks._name} type veth peer name outside netns {networks.Hub}");
            Run("ip", $"-n {networks.Hub} link set outside master bridge up");
            Run("ip", $"addr add {networks.OutsideAddress}/24 dev {networks._name}");
            Run("ip", $"link set {networks._name} up");
            for (var silo = 0; silo < silos; silo++)
                networks.Join(silo);
            return networks;
        }
        catch
        {
            networks.Dispose();
            throw;
        }
    }

    public string AddressOf(int silo) => $"{_prefix}.{silo + 1}";

    public IReadOnlyList<string> LauncherOf(int silo) => ["ip", "netns", "exec", SpaceOf(silo)];

    /// <summary>From now on nothing passes between a silo and the others.</summary>
    public void CutFromPeers(int silo) =>
        Cut(silo, [.. Enumerable.Range(0, _silos).Where(other => other != silo).Select(other => $"ip addr {AddressOf(other)}")]);

    /// <summary>From now on nothing passes between a silo and PostgreSQL; its peers and clients reach it.</summary>
    public void CutFromPostgres(int silo, int port) => Cut(silo, [$"tcp port {port}"]);

    /// <summary>Everything passes again.</summary>
    public void Heal(int silo) => TryRun("ip", $"netns exec {SpaceOf(silo)} nft delete table inet cut");

    public void Dispose()
    {
        for (var silo = 0; silo < _silos; silo++)
            TryRun("ip", $"netns del {SpaceOf(silo)}");
        TryRun("ip", $"link del {_name}");
        TryRun("ip", $"netns del {Hub}");
    }

    private string Hub => $"{_name}-hub";

    private string SpaceOf(int silo) => $"{_name}-{silo}";

    private void Join(int silo)
    {
        var (space, link) = (SpaceOf(silo), $"silo{silo}");
        Run("ip", $"netns add {space}");
        Run("ip", $"-n {Hub} link add {link} type veth peer name eth0 netns {space}");
        Run("ip", $"-n {Hub} link set {link} master bridge up");
        Run("ip", $"-n {space} addr add {AddressOf(silo)}/24 dev eth0");
        Run("ip", $"-n {space} link set eth0 up");
        Run("ip", $"-n {space} link set lo up");
    }

    /// <summary>What is sent is matched as destination, what arrives as source.</summary>
    private void Cut(int silo, string[] matches)
    {
        var nft = $"netns exec {SpaceOf(silo)} nft";
        Run("ip", $"{nft} add table inet cut");
        foreach (var (chain, side) in new[] { ("input", "s"), ("output", "d") })
        {
            Run("ip", $"{nft} add chain inet cut {chain} {{ type filter hook {chain} priority 0 ; }}");
            foreach (var match in matches)
                Run("ip", $"{nft} add rule inet cut {chain} {match.Replace(" addr", $" {side}addr").Replace(" port", $" {side}port")} drop");
        }
    }

    private static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux() || GetEffectiveUserId() != 0)
            return "networks of their own take root on Linux";
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        if (new[] { "ip", "nft" }.FirstOrDefault(program => !folders.Any(folder => File.Exists(Path.Combine(folder, program)))) is { } missing)
            return $"the program {missing} is not on this machine";
        return TryRun("ip", $"netns add gr-{Environment.ProcessId}") && TryRun("ip", $"netns del gr-{Environment.ProcessId}") ? null : "this machine allows no network namespaces";
    }

    private static void Run(string program, string arguments)
    {
        if (!TryRun(program, arguments))
            throw new InvalidOperationException($"{program} {arguments} failed");
    }

    private static bool TryRun(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();
}
