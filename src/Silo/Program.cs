using Granary.Gateway.Hosting;
using Granary.Silo.Hosting;
using Granary.Silo.Postgres;

return (int)(args switch
{
    ["health", .. var rest] => await HealthQuestion.AskAsync(SettingsOf(rest).HttpUrl),
    ["postgres", .. var rest] => await PostgresCommand.RunAsync(SettingsOf(rest).ChosenDataFolder),
    _ => await SiloHost.RunAsync(args),
});

static SiloSettings SettingsOf(string[] args) => SiloSettings.Read(ProgramConfiguration.Of(args));
